import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { PictureDecoder } from '../../../src/lib/pictures/picture-decoder.ts';
import { SVG } from '../../support/pictures.ts';

const UNAVAILABLE = { kind: 'unavailable', reason: 'the process for pictures cannot be started' };

it.each([
  ['ends at once, as without the decoder for this platform', () => endingProcess('exit')],
  ['cannot be run', () => endingProcess('error')],
  [
    'cannot be made',
    () => {
      throw Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM' });
    },
  ],
])('a process for pictures that %s is no fault of the pictures, and is not tried again at once', async (_, start) => {
  let starts = 0;
  const counted = (): ChildProcess => {
    starts += 1;
    return start();
  };
  const decoder = new PictureDecoder({ pauseMs: 60_000 }, counted);
  expect(await Promise.all([decoder.inspect(SVG), decoder.inspect(SVG)])).toEqual([UNAVAILABLE, UNAVAILABLE]);
  expect(await decoder.render(SVG, { format: 'webp', width: 480 })).toEqual(UNAVAILABLE);
  expect(starts).toBe(1);
  const again = new PictureDecoder({ pauseMs: 0 }, counted);
  for (let time = 0; time < 2; time++) expect(await again.inspect(SVG)).toEqual(UNAVAILABLE);
  expect(starts).toBe(3);
  for (const one of [decoder, again]) one.close();
});

function endingProcess(event: 'exit' | 'error'): ChildProcess {
  const child = new EventEmitter();
  const none = (): void => {};
  queueMicrotask(() => child.emit(event, new Error('none')));
  return Object.assign(child, { ref: none, unref: none, kill: none, send: none }) as unknown as ChildProcess;
}
