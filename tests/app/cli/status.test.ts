import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../../src/app/status.ts';
import { raiseAlert } from '../../../src/core/alerts/alerts.ts';
import { openStore } from '../../../src/core/store/store.ts';
import { alertNamed } from '../../support/alerts.ts';
import { startedFolder } from '../../support/command.ts';

describe('daywire status', () => {
  it('prints one screen of text, or one JSON object', async () => {
    const folder = await startedFolder();
    const { code, stdout } = await folder.run(['status']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^The Meridian Wire, .*, var\/daywire\.db\n\nprocesses\n {2}no daywire is running\n\narticles\n/,
    );
    expect(stdout).toMatch(/articles\n {2}1 corrected, 43 published, 1 retracted, 1 scheduled\n\nfeeds\n/);
    expect(stdout).toMatch(
      /\neditions\n {2}daily-roundup\/\d{4}-\d\d-\d\d, number 1: Tech Roundup: .* \(7 submitted\)\n/,
    );
    const status = JSON.parse((await folder.run(['status', '--json'])).stdout) as Status;
    // The embargo of one article has not ended: its change is not due.
    expect(status.pendingChanges).toBe(0);
    expect(status.feeds).toHaveLength(30);
    for (const { path, bytes } of status.feeds) expect(bytes).toBe(statSync(join(folder.path, 'feeds', path)).size);
  });

  it('exits with 3 while an alert is open, as text and as JSON', async () => {
    const folder = await startedFolder();
    expect((await folder.run(['status', '--json'])).code).toBe(0);
    const store = await openStore({ path: join(folder.path, 'var/daywire.db') });
    await raiseAlert(store.db, { ...alertNamed('heartbeat'), message: 'It failed.' }, Date.now());
    await store.close();
    const { code, stdout } = await folder.run(['status']);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^The Meridian Wire, .*\n\nalerts\n {2}heartbeat .*: It failed\.\n/);
    const json = await folder.run(['status', '--json']);
    expect(json.code).toBe(3);
    expect((JSON.parse(json.stdout) as Status).alerts).toMatchObject([{ key: 'heartbeat', message: 'It failed.' }]);
  });
});
