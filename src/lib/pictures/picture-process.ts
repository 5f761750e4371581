/**
 * The code of the process that decodes pictures: does one job after the other. picture-decoder.ts starts it.
 * It ends when the channel to that process closes.
 */
import { decodePicture, limitDecoder } from './decode-picture.ts';
import type { PictureRequest, PictureResponse } from './picture-job.ts';

limitDecoder();

process.on('message', async (request: PictureRequest) => {
  respond({ kind: 'started' });
  respond(await decodePicture(request));
});

function respond(response: PictureResponse): void {
  // The callback takes the error of a closed channel, which would be thrown otherwise.
  process.send?.(response, undefined, undefined, () => {});
}
