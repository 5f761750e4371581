import { describe, expect, it } from 'vitest';
import { openProgress } from '../../../src/core/cli/progress.ts';

describe('progress', () => {
  it('is one line on a terminal, no wider than it, and wiped at the end', () => {
    const { stream, written } = fakeStream(true, 20);
    const progress = openProgress(stream);
    progress.show('importing: 12345 articles, 50%');
    progress.show('too soon after the first');
    progress.clear();
    expect(written).toEqual(['\r\u001b[2Kimporting: 12345 ar', '\r\u001b[2K']);
  });

  it('writes nothing into a pipe, and wipes nothing where nothing was shown', () => {
    const pipe = fakeStream(false, 0);
    openProgress(pipe.stream).show('importing');
    openProgress(pipe.stream).clear();
    const terminal = fakeStream(true, 80);
    openProgress(terminal.stream).clear();
    expect([...pipe.written, ...terminal.written]).toEqual([]);
  });
});

function fakeStream(isTTY: boolean, columns: number): { stream: NodeJS.WriteStream; written: string[] } {
  const written: string[] = [];
  const write = (text: string): boolean => written.push(text) > 0;
  return { stream: { isTTY, columns, write } as unknown as NodeJS.WriteStream, written };
}
