/**
 * The jobs of the process that decodes pictures, and its answers.
 */

/** The bytes of a file, or its path. */
export type PictureInput = Buffer | string;

/** A smaller version of a picture. It is never larger than the original, and has no metadata. */
export type RenditionForm =
  /** At most `width` pixels wide. */
  | { format: 'webp'; width: number }
  /** For email: also at most so many bytes. Transparent parts are white. */
  | { format: 'jpeg'; width: number; maxBytes: number };

type PictureTask = { kind: 'inspect' } | { kind: 'render'; form: RenditionForm };

export interface PictureRequest {
  input: PictureInput;
  task: PictureTask;
}

export interface InspectedPicture {
  /** MIME type, by the content. */
  type: string;
  /** Pixels, as displayed: after the rotation that a camera recorded. */
  width: number;
  height: number;
}

export type PictureResponse =
  /** The job begins. */
  | { kind: 'started' }
  | { kind: 'inspected'; picture: InspectedPicture }
  | { kind: 'rendered'; bytes: Uint8Array }
  /** The file is no usable picture. The reason is for people: `is SVG, …`. */
  | { kind: 'rejected'; reason: string };
