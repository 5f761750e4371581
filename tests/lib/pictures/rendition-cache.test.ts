import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RenderingResult } from '../../../src/lib/pictures/picture-decoder.ts';
import { type OriginalFile, RenditionCache } from '../../../src/lib/pictures/rendition-cache.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { openTestLog } from '../../support/test-log.ts';

const FORM = { format: 'webp', width: 480 } as const;

describe('the cache of renditions', () => {
  it('makes a version once, also for requests at the same time and after a restart', async () => {
    const { cache, make, calls, folder } = setUp();
    const photo = original(folder, 'a.jpg');
    const results = await Promise.all([1, 2, 3].map(() => get(cache, photo)));
    expect(results).toEqual(Array(3).fill({ kind: 'rendered', bytes: Buffer.from('small') }));
    expect(await get(cache, photo)).toEqual(results[0]);
    expect(await get(make(), photo)).toEqual(results[0]);
    expect(calls).toEqual([photo.path]);
  });

  it('makes a new version of a picture that was replaced, but not of one that was renamed', async () => {
    const { cache, calls, folder } = setUp();
    const first = original(folder, 'a.jpg', 'first');
    const key = await cache.keyOf(first, '480');
    await get(cache, first);
    await get(cache, original(folder, 'renamed.jpg', 'first'));
    expect(calls).toHaveLength(1);
    const replaced = { ...original(folder, 'a.jpg', 'other'), modifiedAt: first.modifiedAt + 1 };
    expect(await cache.keyOf(replaced, '480')).not.toBe(key);
    await get(cache, replaced);
    expect(calls).toHaveLength(2);
  });

  it('does not try a picture that is not usable again at once, and logs the reason once', async () => {
    const { cache, calls, folder, log, outcome } = setUp();
    outcome.next = { kind: 'rejected', reason: 'is SVG' };
    const drawing = original(folder, 'a.jpg');
    for (let time = 0; time < 3; time++)
      expect(await get(cache, drawing)).toEqual({ kind: 'rejected', reason: 'is SVG' });
    expect(calls).toHaveLength(1);
    expect(log.lines).toEqual([`picture not usable ${JSON.stringify({ file: drawing.path, reason: 'is SVG' })}`]);
  });

  it('tries again after the decoder was busy', async () => {
    const { cache, folder, outcome } = setUp();
    const photo = original(folder, 'a.jpg');
    outcome.next = { kind: 'busy' };
    expect(await get(cache, photo)).toEqual({ kind: 'busy' });
    outcome.next = { kind: 'rendered', bytes: Buffer.from('small') };
    expect(await get(cache, photo)).toMatchObject({ kind: 'rendered' });
  });

  it('asks again after the decoder was not available, and says so once', async () => {
    const { cache, folder, outcome, log } = setUp();
    const photo = original(folder, 'a.jpg');
    const none = { kind: 'unavailable', reason: 'the process for pictures cannot be started' } as const;
    outcome.next = none;
    for (let time = 0; time < 2; time++) expect(await get(cache, photo)).toEqual(none);
    expect(log.lines).toEqual([
      `originals are shown instead of smaller versions of pictures ${JSON.stringify({ reason: none.reason })}`,
    ]);
    outcome.next = { kind: 'rendered', bytes: Buffer.from('small') };
    expect(await get(cache, photo)).toMatchObject({ kind: 'rendered' });
  });

  it('does not read an original of more than 64 MiB', async () => {
    const { cache, folder } = setUp();
    const limit = 64 * 1024 * 1024;
    expect(await cache.keyOf({ ...original(folder, 'a.jpg'), size: limit }, '480')).not.toBeNull();
    expect(await cache.keyOf({ ...original(folder, 'a.jpg'), size: limit + 1 }, '480')).toBeNull();
  });

  it('makes a version again that a crash of the machine left empty', async () => {
    const { cache, calls, folder, cached } = setUp();
    const photo = original(folder, 'a.jpg');
    await get(cache, photo);
    writeFileSync(cached()[0] as string, '');
    expect(await get(cache, photo)).toEqual({ kind: 'rendered', bytes: Buffer.from('small') });
    expect(calls).toHaveLength(2);
  });

  it('deletes the oldest versions when they take too much space', async () => {
    const { cache, folder, cached } = setUp({ maxBytes: 12 });
    for (const name of ['a', 'b', 'c']) {
      await get(cache, original(folder, `${name}.jpg`, name));
      for (const file of cached()) {
        const age = statSync(file).mtimeMs / 1_000 - 60;
        utimesSync(file, age, age);
      }
    }
    // Each has 5 bytes: the third exceeds the limit, and 80 % of it is one.
    expect(cached()).toHaveLength(1);
    expect(await get(cache, original(folder, 'd.jpg', 'd'))).toMatchObject({ kind: 'rendered' });
    expect(cached()).toHaveLength(2);
  });

  it('shows versions that it cannot write, and says so', async () => {
    const { make, folder, log } = setUp();
    const cache = make(original(folder, 'a-file', 'no folder').path);
    expect(await get(cache, original(folder, 'a.jpg'))).toMatchObject({ kind: 'rendered' });
    expect(log.lines).toEqual([
      expect.stringMatching(/^a smaller version of a picture cannot be kept .*(?:ENOTDIR|EEXIST)/),
    ]);
  });

  it('has no version of a file that is gone', async () => {
    const { cache, folder } = setUp();
    expect(await cache.keyOf({ ...original(folder, 'a.jpg'), path: join(folder, 'gone.jpg') }, '480')).toBeNull();
  });
});

function setUp({ maxBytes }: { maxBytes?: number } = {}) {
  const folder = temporaryFolder();
  const kept = join(folder, 'renditions');
  const calls: unknown[] = [];
  const log = openTestLog();
  const outcome: { next: RenderingResult } = { next: { kind: 'rendered', bytes: Buffer.from('small') } };
  const decoder = {
    render: async (input: unknown) => {
      calls.push(input);
      return outcome.next;
    },
  };
  const make = (at = kept) => new RenditionCache({ folder: at, decoder, log, ...(maxBytes ? { maxBytes } : {}) });
  const cached = () =>
    readdirSync(kept, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.webp'))
      .map((name) => join(kept, name));
  return { folder, cache: make(), make, calls, log, outcome, cached };
}

function original(folder: string, name: string, content = 'content'): OriginalFile {
  const path = join(folder, name);
  writeFileSync(path, content);
  return { path, size: content.length, modifiedAt: 1 };
}

async function get(cache: RenditionCache, file: OriginalFile) {
  return cache.get(file, (await cache.keyOf(file, '480')) ?? '', FORM);
}
