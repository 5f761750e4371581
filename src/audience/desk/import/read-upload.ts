/**
 * Reads the form that uploads a file of subscribers. The file goes to the disk as it arrives.
 */
import { cleanLine } from '../../../lib/text/clean-text.ts';
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import { LIST_FORMATS } from '../../csv/list-formats.ts';
import { parseStatusRules } from '../../csv/status-rules.ts';
import type { UploadOptions } from '../../csv/upload-ledger.ts';
import { discardFile, MAX_UPLOAD, type ReceivedFile, receiveUpload, UploadError } from '../../csv/uploaded-imports.ts';
import { boundaryOf, CutMultipart, type FormPart, MultipartError, readField, readParts } from './multipart.ts';

export type ReadUpload =
  | { kind: 'received'; file: ReceivedFile; options: UploadOptions }
  /** `status`: of the response. Nothing of the upload is left. */
  | { kind: 'refused'; status: 400 | 413 | 415 | 422; reason: string };

/** Beside the file. */
const FORM_SIZE = 64 * 1024;

export async function readUpload(request: SignedInRequest): Promise<ReadUpload> {
  const { c, desk } = request;
  const boundary = boundaryOf(c.req.header('Content-Type') ?? '');
  const { body } = c.req.raw;
  if (boundary === null || body === null) {
    return { kind: 'refused', status: 415, reason: 'the request is not a form with a file' };
  }
  if (Number(c.req.header('Content-Length') ?? 0) > MAX_UPLOAD + FORM_SIZE) {
    const reason = `the file has more than ${MAX_UPLOAD / 1024 / 1024} MB: divide it into several files`;
    return { kind: 'refused', status: 413, reason };
  }
  const received: { file?: ReceivedFile } = {};
  try {
    const fields = new URLSearchParams();
    for await (const part of readParts(body as unknown as AsyncIterable<Uint8Array>, boundary)) {
      if (part.fileName === null) fields.append(part.name, await readField(part));
      else if (received.file !== undefined) throw new MultipartError('it has more than one file');
      else received.file = await receiveFile(request, part);
    }
    if (received.file === undefined) throw new UploadError('no file was chosen');
    return { kind: 'received', file: received.file, options: readOptions(request, fields) };
  } catch (error) {
    if (received.file !== undefined) await discardFile(desk.app, received.file.id);
    if (error instanceof UploadError) {
      return { kind: 'refused', status: error.message.includes('more than') ? 413 : 422, reason: error.message };
    }
    if (error instanceof MultipartError) return { kind: 'refused', status: 400, reason: error.message };
    if (request.c.req.raw.signal.aborted) return { kind: 'refused', status: 400, reason: new CutMultipart().message };
    throw error;
  }
}

function receiveFile({ desk }: SignedInRequest, { fileName, content }: FormPart): Promise<ReceivedFile> {
  return receiveUpload(desk.app, fileName ?? '', content);
}

/** @throws UploadError that names the field */
function readOptions({ desk }: SignedInRequest, fields: URLSearchParams): UploadOptions {
  const known = desk.app.config.newsletters.map(({ id }) => id);
  const newsletters = fields.getAll('newsletter').filter((id) => known.includes(id));
  if (newsletters.length === 0) throw new UploadError('choose at least one newsletter');
  const format = fields.get('format') ?? '';
  if (format !== '' && format !== 'plain' && !LIST_FORMATS.some(({ name }) => name === format)) {
    throw new UploadError('choose a format of the list');
  }
  const status = cleanLine(fields.get('status') ?? '');
  try {
    parseStatusRules(status === '' ? [] : [status]);
  } catch (error) {
    throw new UploadError((error as Error).message);
  }
  const [statusColumns, ignore] = [headersOf(fields, 'statusColumns'), headersOf(fields, 'ignore')];
  return { newsletters, format: format === '' ? null : format, statusColumns, status, ignore };
}

/** Headers with commas between them. */
function headersOf(fields: URLSearchParams, name: string): string[] {
  const headers = (fields.get(name) ?? '').split(',').map((header) => cleanLine(header));
  return headers.filter((header) => header !== '');
}
