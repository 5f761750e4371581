/**
 * How long an editor waits at the desk: a command to the draft of an edition, the new page, and the new preview, by the
 * requests that a browser makes.
 */
import type { DeskClient } from './desk-client.ts';

/** Milliseconds of each round. */
export interface EditTimes {
  act: number[];
  page: number[];
  preview: number[];
  /** From the command to the new preview. */
  whole: number[];
}

/** Drops a story, moves the next one to the top, and restores the first, in turn. @param path of the page */
export async function timeEdits(
  { request }: DeskClient,
  path: string,
  { warmUp, rounds }: { warmUp: number; rounds: number },
): Promise<EditTimes> {
  const times: EditTimes = { act: [], page: [], preview: [], whole: [] };
  const stories = storiesOf(await request(path)).slice(1, 5);
  for (let round = -warmUp; round < rounds; round++) {
    const before = await request(path);
    const turn = round + warmUp;
    const story = stories[Math.floor(turn / 3) % stories.length] as string;
    const next = stories[(Math.floor(turn / 3) + 1) % stories.length] as string;
    const [act, fields] = [
      ['drop', { story }],
      ['move', { story: next, block: 'news', place: 'first' }],
      ['restore', { story }],
    ][turn % 3] as [string, Record<string, string>];
    const seen = /name="seen" value="(\d+)"/.exec(before)?.[1] ?? '0';
    const start = performance.now();
    await request(`${path}/${act}`, { method: 'POST', body: new URLSearchParams({ seen, ...fields }) });
    const acted = performance.now();
    const after = await request(path);
    const shown = performance.now();
    await request(previewOf(after));
    const end = performance.now();
    if (after === before) throw new Error(`the page has not changed after "${act}"`);
    if (round < 0) continue;
    times.act.push(acted - start);
    times.page.push(shown - acted);
    times.preview.push(end - shown);
    times.whole.push(end - start);
  }
  return times;
}

function storiesOf(page: string): string[] {
  return [...page.matchAll(/data-drag-item="([^"]+)"/g)].map(([, id]) => id as string);
}

function previewOf(page: string): string {
  const address = /<iframe [^>]*src="([^"]*)"/.exec(page)?.[1];
  if (address === undefined) throw new Error('the page has no preview');
  return address.replaceAll('&amp;', '&');
}
