import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('collects the garbage of a process that began with --expose-gc', async () => {
  const { href } = new URL('../../../src/lib/threads/collect-garbage.ts', import.meta.url);
  const code = `
    import { collectGarbage } from ${JSON.stringify(href)};
    let objects = Array.from({ length: 300_000 }, (_, index) => ({ index }));
    const { heapUsed } = process.memoryUsage();
    objects = null;
    await collectGarbage();
    console.log(heapUsed - process.memoryUsage().heapUsed > 5_000_000);`;
  const outputs = [['--expose-gc'], []].map(async (flags) => {
    const args = [...flags, '--max-semi-space-size=1', '--input-type=module', '--eval', code];
    return (await promisify(execFile)(process.execPath, args, { timeout: 30_000 })).stdout;
  });
  expect(await Promise.all(outputs)).toEqual(['true\n', 'false\n']);
});
