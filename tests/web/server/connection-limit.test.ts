import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { connectionsWithin, openFilesLimit } from '../../../src/web/server/connection-limit.ts';

describe('the limit of open files', () => {
  it('leaves 200 files to the rest of the process, and at least 20 connections', () => {
    const limits = [Number.POSITIVE_INFINITY, 1_024, 700, 699, 300, 130, 0];
    expect(limits.map((openFiles) => connectionsWithin(openFiles, 500))).toEqual([500, 500, 500, 499, 100, 20, 20]);
    expect(connectionsWithin(1_024, 5)).toBe(5);
  });

  it('is that of the process', () => {
    expect(openFilesLimit()).toBeGreaterThan(0);
    const script = `
      import { openFilesLimit } from ${JSON.stringify(import.meta.resolve('../../../src/web/server/connection-limit.ts'))};
      process.stdout.write(String(openFilesLimit()));`;
    const command = 'ulimit -Sn 123 && ulimit -Hn 123 && exec "$0" --input-type=module -e "$1"';
    expect(execFileSync('sh', ['-c', command, process.execPath, script], { encoding: 'utf8' })).toBe('123');
  });
});
