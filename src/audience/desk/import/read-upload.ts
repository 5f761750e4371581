/**
 * Reads the form that uploads a file of subscribers. The file goes to the disk as it arrives: a platform parser
 * (`Request.formData`) takes 130 MB of memory for the longest one.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import { cleanLine } from '../../../lib/text/clean-text.ts';
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { FormErrors } from '../../../web/desk/parts/form.ts';
import { sentence } from '../../../web/desk/parts/operator-text.ts';
import { LIST_FORMATS } from '../../csv/list-formats.ts';
import { parseStatusRules } from '../../csv/statuses.ts';
import type { UploadOptions } from '../../csv/upload-ledger.ts';
import { discardFile, MAX_UPLOAD, type ReceivedFile, receiveUpload, UploadError } from '../../csv/uploaded-imports.ts';

export type ReadUpload =
  | { kind: 'received'; file: ReceivedFile; options: UploadOptions }
  /** `status`: of the response. Nothing of the upload is left. `typed`: the other fields of the form. */
  | { kind: 'refused'; status: 400 | 413 | 415 | 422; errors: FormErrors; typed: URLSearchParams };

/** Bytes beside the file. */
const FORM_SIZE = 64 * 1024;
const LIMITS = { files: 1, fileSize: MAX_UPLOAD, fields: 100, fieldSize: 16 * 1024, parts: 101, headerSize: 8 * 1024 };
const TOO_LONG = `The file has more than ${MAX_UPLOAD / 1024 / 1024} MB: divide it into several files.`;

export async function readUpload(request: SignedInRequest): Promise<ReadUpload> {
  const { app } = request.desk;
  const type = request.c.req.header('Content-Type') ?? '';
  const { body } = request.c.req.raw;
  const fields = new URLSearchParams();
  if (!/^multipart\/form-data\b.*\bboundary=/i.test(type) || body === null) {
    const errors = { file: 'The request is not a form with a file.' };
    return { kind: 'refused', status: 415, errors, typed: fields };
  }
  if (Number(request.c.req.header('Content-Length') ?? 0) > MAX_UPLOAD + FORM_SIZE) {
    return { kind: 'refused', status: 413, errors: { file: TOO_LONG }, typed: fields };
  }
  const form = new Busboy({ headers: { 'content-type': type }, limits: LIMITS });
  const part: { content?: BusboyFileStream; received?: Promise<ReceivedFile> } = {};
  // Both report the end of a form that is cut again, after they have failed: without a listener the process would end.
  form.on('error', () => {});
  form.on('field', (name, value) => fields.append(name, value));
  form.on('file', (_field, content, fileName) => {
    content.on('error', () => {});
    content.once('limit', () => form.destroy(new UploadError(TOO_LONG)));
    part.content = content;
    part.received = receiveUpload(app, fileName, content);
    part.received.catch((error: Error) => form.destroy(error));
  });
  try {
    await pipeline(Readable.fromWeb(body as ReadableStream), form);
    if (part.received === undefined) throw new UploadError('Choose a file.');
    const file = await part.received;
    return { kind: 'received', file, options: readOptions(request, fields) };
  } catch (error) {
    part.content?.destroy(error as Error);
    const file = await part.received?.catch(() => undefined);
    if (file !== undefined) await discardFile(app, file.id);
    if (error instanceof UploadError) {
      const status = error.message === TOO_LONG ? 413 : 422;
      return { kind: 'refused', status, errors: { [error.field]: error.message }, typed: fields };
    }
    // An error of the disk.
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    const errors = { file: 'The upload ended in the middle, or is damaged: send the file again.' };
    return { kind: 'refused', status: 400, errors, typed: fields };
  }
}

/** @throws UploadError that names the field */
function readOptions({ desk }: SignedInRequest, fields: URLSearchParams): UploadOptions {
  const known = desk.app.config.newsletters.map(({ id }) => id);
  const newsletters = fields.getAll('newsletter').filter((id) => known.includes(id));
  if (newsletters.length === 0) throw new UploadError('Choose at least one newsletter.', 'newsletter');
  const format = fields.get('format') ?? '';
  if (format !== '' && format !== 'plain' && !LIST_FORMATS.some(({ name }) => name === format)) {
    throw new UploadError('Choose a format of the list.', 'format');
  }
  const status = cleanLine(fields.get('status') ?? '');
  try {
    parseStatusRules(status === '' ? [] : [status]);
  } catch (error) {
    throw new UploadError(sentence(error as Error), 'status');
  }
  const [statusColumns, ignore] = [headersOf(fields, 'statusColumns'), headersOf(fields, 'ignore')];
  return { newsletters, format: format === '' ? null : format, statusColumns, status, ignore };
}

/** Headers with commas between them. */
function headersOf(fields: URLSearchParams, name: string): string[] {
  const headers = (fields.get(name) ?? '').split(',').map((header) => cleanLine(header));
  return headers.filter((header) => header !== '');
}
