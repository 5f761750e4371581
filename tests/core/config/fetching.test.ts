import { describe, expect, it } from 'vitest';
import { openConfiguredClient, openServiceClient } from '../../../src/core/config/fetching.ts';
import { VERSION } from '../../../src/lib/version.ts';
import { ok, startRawServer } from '../../lib/guarded-fetch/raw-server.ts';
import { sampleConfig } from '../../support/sample.ts';

describe('the client for sources and pictures', () => {
  it('connects to this machine only where fetch.allow has its range', async () => {
    const server = await startRawServer(() => ok([], ''));
    const config = sampleConfig();
    expect(config.fetch).toEqual({ allow: [] });
    expect(await openConfiguredClient(config).fetch({ url: server.url() })).toMatchObject({ kind: 'refused' });
    const local = openConfiguredClient({ ...config, fetch: { allow: ['127.0.0.0/8'] } });
    expect(await local.fetch({ url: server.url() })).toMatchObject({ kind: 'answered' });
    expect(server.connections).toBe(1);
  });

  it('names daywire, its version and a contact, in ASCII', async () => {
    const server = await startRawServer(() => ok([], ''));
    const config = sampleConfig();
    const publication = { ...config.publication, url: 'https://zürich.example' };
    await openConfiguredClient({ publication, fetch: { allow: ['127.0.0.0/8'] } }).fetch({ url: server.url() });
    const contact = `+https://xn--zrich-kva.example/; ${publication.contact.email}`;
    expect(server.requests[0]).toContain(`\r\nUser-Agent: daywire/${VERSION} (${contact})\r\n`);
  });
});

describe('the client for services', () => {
  it('never connects to this machine, whatever fetch.allow says', async () => {
    const server = await startRawServer(() => ok([], ''));
    const config = { ...sampleConfig(), fetch: { allow: ['127.0.0.0/8'] } };
    const result = await openServiceClient(config).fetch({ url: server.url() });
    expect(result).toEqual({ kind: 'refused', reason: 'its address is not public' });
    expect(server.connections).toBe(0);
  });
});
