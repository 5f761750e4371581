import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openOutput } from '../../../src/core/cli/output.ts';

/** A stream that is never destroyed, as stdout of a process. `next` ends the write that waits. */
function openStream() {
  const ends: ((error?: Error | null) => void)[] = [];
  const written: string[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    autoDestroy: false,
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      ends.push(done);
    },
  });
  return { stream, written, next: (error?: Error) => ends.shift()?.(error) };
}

const EPIPE = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });

describe('output', () => {
  it('waits until the reader has room, and says when it has left', async () => {
    const { stream, written, next } = openStream();
    const output = openOutput(stream);
    let isDone = false;
    const first = output.writePart('a').finally(() => {
      isDone = true;
    });
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(isDone).toBe(false);
    next();
    expect(await first).toBe(true);

    const second = output.writePart('b');
    next(EPIPE);
    expect(await second).toBe(false);
    expect(stream.destroyed).toBe(false);
    output.write('c');
    expect(await output.writePart('d')).toBe(false);
    expect(written).toEqual(['a', 'b']);
    expect(stream.listenerCount('drain')).toBe(0);
  });

  it('throws any other error', () => {
    const { stream } = openStream();
    openOutput(stream);
    expect(() => stream.emit('error', Object.assign(new Error('write EIO'), { code: 'EIO' }))).toThrow('write EIO');
  });
});
