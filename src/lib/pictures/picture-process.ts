/**
 * The code of the process that decodes pictures that others made, with limits: a picture that is made for the purpose
 * may take all memory and time, or crash the decoder. picture-decoder.ts starts it. It does one job after the other,
 * and ends when the channel to that process closes.
 */
import sharp, { type Metadata, type Sharp } from 'sharp';
import type {
  InspectedPicture,
  PictureInput,
  PictureRequest,
  PictureResponse,
  RenditionForm,
} from './picture-decoder.ts';
import { otherTypeName, pictureType, readHead } from './picture-type.ts';

const MAX_MEGAPIXELS = 40;
/** Pixels of the longer side: WebP has no more (RFC 9649 §2.4). */
const MAX_SIDE = 16_383;
/** Frames of an animation. Only the first is decoded, but all are counted. */
const MAX_FRAMES = 1_000;
/** How much taller than wide a rendition may be. */
const MAX_ASPECT = 10;
const WEBP_QUALITY = 76;
/** Tried in this order, until the file is short enough. */
const JPEG_QUALITIES = [80, 70, 60, 50, 40];

/** The loaders of these formats, and no other: SVG may include files, and TIFF and PDF have had many flaws. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'];

class RejectedPictureError extends Error {}

// Little memory, one thread, and only the loaders that are needed.
sharp.cache(false);
sharp.concurrency(1);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: LOADERS.map((name) => `VipsForeignLoad${name}`) });

process.on('message', async (request: PictureRequest) => {
  respond({ kind: 'started' });
  respond(await decodePicture(request));
});

function respond(response: PictureResponse): void {
  // The callback takes the error of a closed channel, which would be thrown otherwise.
  process.send?.(response, undefined, undefined, () => {});
}

/** Does a job. A picture that cannot be used is rejected with the reason. */
async function decodePicture({ input, task }: PictureRequest): Promise<PictureResponse> {
  const form = task.kind === 'render' ? task.form : null;
  try {
    if (form?.format === 'png')
      return { kind: 'rendered', bytes: await renderIcon(input, form.width, form.background) };
    const { problem, ...picture } = await inspect(input);
    if (task.kind === 'measure') return { kind: 'inspected', picture };
    if (problem !== null) return { kind: 'rejected', reason: problem };
    if (form !== null) return { kind: 'rendered', bytes: await render(input, form) };
    // The header of a file says nothing about its rest.
    await openPicture(input).resize(16, 16, { fit: 'fill' }).raw().toBuffer();
    return { kind: 'inspected', picture };
  } catch (error) {
    return { kind: 'rejected', reason: error instanceof RejectedPictureError ? error.message : reasonOf(error) };
  }
}

/** `problem`: why it cannot be decoded. */
async function inspect(input: PictureInput): Promise<InspectedPicture & { problem: string | null }> {
  const head = typeof input === 'string' ? await readHead(input) : input;
  const type = pictureType(head);
  if (type === null) {
    throw new RejectedPictureError(`is ${otherTypeName(head)}, not a JPEG, PNG, WebP, GIF or AVIF picture`);
  }
  // Reads the header only: the limit would hide the size.
  const metadata = await sharp(input, { limitInputPixels: false }).metadata();
  const { width, height } = metadata.autoOrient;
  return { type, width, height, problem: problemOf(metadata) };
}

function problemOf({ width, height, pages = 1 }: Metadata): string | null {
  if (Math.max(width, height) > MAX_SIDE) return `has ${width} × ${height} pixels; a side may have ${MAX_SIDE}`;
  if (width * height > MAX_MEGAPIXELS * 1e6) {
    return `has ${Math.ceil((width * height) / 1e6)} megapixels; the limit is ${MAX_MEGAPIXELS}`;
  }
  return pages > MAX_FRAMES ? `has ${pages} frames; the limit is ${MAX_FRAMES}` : null;
}

/** Its first frame. The reader fails where data is missing, instead of filling up with grey. */
function openPicture(input: PictureInput): Sharp {
  return sharp(input, { failOn: 'truncated', limitInputPixels: MAX_MEGAPIXELS * 1_000_000, autoOrient: true });
}

async function render(input: PictureInput, form: Exclude<RenditionForm, { format: 'png' }>): Promise<Buffer> {
  const { width } = form;
  const resized = openPicture(input).resize({
    width,
    height: width * MAX_ASPECT,
    fit: 'inside',
    withoutEnlargement: true,
  });
  if (form.format === 'webp') return resized.webp({ quality: WEBP_QUALITY }).toBuffer();
  const { data, info } = await resized.flatten({ background: '#fff' }).raw().toBuffer({ resolveWithObject: true });
  return jpegWithin(sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } }), form);
}

/** Only an icon, which is the newsroom's own file, may be an SVG. */
async function renderIcon(input: PictureInput, width: number, background: string | null): Promise<Buffer> {
  sharp.unblock({ operation: ['VipsForeignLoadSvg'] });
  try {
    const icon = openPicture(input).resize(width, width, { fit: 'contain', background: background ?? '#0000' });
    return await (background === null ? icon : icon.flatten({ background })).ensureAlpha().png().toBuffer();
  } finally {
    sharp.block({ operation: ['VipsForeignLoadSvg'] });
  }
}

/** Lowers the quality, then the width. */
async function jpegWithin(picture: Sharp, { width, maxBytes }: { width: number; maxBytes: number }): Promise<Buffer> {
  for (const quality of JPEG_QUALITIES) {
    const jpeg = await picture.clone().jpeg({ quality, progressive: true }).toBuffer();
    if (jpeg.length <= maxBytes) return jpeg;
  }
  const narrower = Math.floor(width * 0.75);
  const resized = picture.clone().resize({ width: narrower, withoutEnlargement: true });
  const { data, info } = await resized.raw().toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: info.channels };
  return jpegWithin(sharp(data, { raw }), { width: narrower, maxBytes });
}

/** The messages of the decoder are for its developers. */
function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  if (code !== undefined) return `cannot be read (${code})`;
  return /pixel limit/i.test(message)
    ? `has more than ${MAX_MEGAPIXELS} megapixels`
    : 'cannot be decoded: it is damaged or cut off';
}
