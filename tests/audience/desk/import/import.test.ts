import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  deleteOldUploads,
  fileNameOf,
  MAX_UPLOAD,
  REJECTS_KEPT,
} from '../../../../src/audience/csv/uploaded-imports.ts';
import { findSubscriberByAddress } from '../../../../src/audience/subscriptions.ts';
import { DAY } from '../../../../src/lib/time.ts';
import { forEachDatabase, openMigrated } from '../../../support/databases.ts';
import { until } from '../../../support/until.ts';
import { type AudienceDesk, JUN, openAudience } from '../audience-fixtures.ts';

const HOSTILE = `"><script>alert(1)</script>.csv`;
const CSV = `email,newsletters\nkay@example.com,daily-roundup\n${JUN},daily-roundup\nno address,daily-roundup\n`;

interface Upload {
  name?: string;
  newsletter?: string;
  fields?: Record<string, string>;
  body?: string | URLSearchParams | ReadableStream;
  headers?: Record<string, string>;
  role?: 'audience' | 'admin' | 'operator';
}

/** Uploads a file as a browser does. @returns the response */
async function upload(desk: AudienceDesk, content: string, options: Upload = {}): Promise<Response> {
  const { name = 'list.csv', newsletter = 'daily-roundup', fields = {}, role = 'audience' } = options;
  const form = new FormData();
  if (newsletter !== '') form.append('newsletter', newsletter);
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  form.append('file', new File([content], name));
  return desk.site.request('/desk/audience/import', {
    ...{ method: 'POST', body: options.body ?? form },
    headers: {
      Cookie: `__Host-daywire-desk=${desk.accounts[role].token}`,
      'Sec-Fetch-Site': 'same-origin',
      ...options.headers,
    },
    ...(options.body instanceof ReadableStream ? { duplex: 'half' } : {}),
  } as RequestInit);
}

/** Waits for the page of an import that is not running any more. */
async function settled(desk: AudienceDesk, path: string): Promise<string> {
  return until(async () => {
    const page = await desk.read('audience', path);
    return page.includes('data-pending') ? null : page;
  });
}

function pathOf(response: Response): string {
  expect(response.status).toBe(303);
  return (response.headers.get('Location') ?? '').replace(/^\/desk/, '');
}

const folderOf = (desk: AudienceDesk): string => join(desk.app.config.paths.data, 'imports');
const filesOf = (desk: AudienceDesk): string[] =>
  existsSync(folderOf(desk)) ? readdirSync(folderOf(desk), { recursive: true }).map(String).sort() : [];

forEachDatabase((open) => {
  it('names values that choose nothing, and leaves choices of other programs to the command', async () => {
    const desk = await openAudience(await open());
    const file = 'email,choices\nkay@example.com,"<b>Sports,daily-roundup/section:world"\n';
    const page = await settled(desk, pathOf(await upload(desk, file)));
    expect(page).toContain(
      'Values that choose nothing, with their numbers: &lt;b&gt;Sports (1), daily-roundup/section:world (1)',
    );
    expect(await desk.read('audience', '/audience/import')).toContain('import the file with the command line');
  });

  it('checks an upload, imports it when the same file is confirmed, and keeps only the rejected rows', async () => {
    const store = await open();
    const desk = await openAudience(store);
    const path = pathOf(await upload(desk, CSV));
    const id = path.split('/').at(-1) as string;
    const checked = await settled(desk, path);
    expect(checked).toContain('checked: nothing is imported yet');
    expect(checked).toContain('What an import would do');
    expect(checked).toMatch(/<dt>New<\/dt><dd><b>1<\/b>/);
    expect(checked).toMatch(/Line 4: rejected: no address: it must be only the address/);
    expect(await findSubscriberByAddress(store.db, 'kay@example.com')).toBeNull();
    expect(statSync(join(folderOf(desk), id)).mode & 0o777).toBe(0o700);
    expect(statSync(join(folderOf(desk), id, 'list.csv')).mode & 0o777).toBe(0o600);
    const hash = checked.match(/name="hash" value="([0-9a-f]{64})"/)?.[1] as string;

    expect(await desk.act('audience', `${path}/run`, { hash: hash.replace(/./, 'x') })).toContain(
      'Nothing was imported',
    );
    expect((await desk.post('admin', `${path}/run`, { hash })).status).toBe(404);
    expect((await desk.post('audience', `${path}/run`, { hash })).status).toBe(303);
    const done = await settled(desk, path);
    expect(done).toContain('What was done');
    expect((await findSubscriberByAddress(store.db, 'kay@example.com'))?.subscriptions).toHaveLength(1);
    const events = await store.db
      .selectFrom('consent_events')
      .select('source')
      .where('channel', '=', 'import')
      .execute();
    expect(events).toEqual([{ source: 'list.csv:2' }]);
    expect(filesOf(desk)).toEqual([id, `${id}/list.csv.rejects.csv`]);
    expect(await desk.act('audience', `${path}/run`, { hash })).toContain('Nothing was imported');

    const rejects = await desk.post('audience', `${path}/rejects`);
    expect(rejects.headers.get('Content-Disposition')).toBe(`attachment; filename="rejects-${id}.csv"`);
    expect(await rejects.text()).toContain('no address,daily-roundup,4,');
    expect((await desk.post('admin', `${path}/rejects`)).status).toBe(404);
    // It would write into the audit log.
    expect((await desk.get('audience', `${path}/rejects`)).headers.get('Location')).toBe(`/desk${path}`);
    const audit = await desk.audit();
    expect(audit.map(({ act, subject }) => `${act} ${subject}`)).toEqual([
      `audience.upload import/${id}`,
      `audience.import import/${id}`,
      `audience.download-rejects import/${id}`,
    ]);
    expect(JSON.stringify(audit)).not.toContain('@');
    expect(desk.log.lines.join('\n')).not.toContain('@');
  });

  it('shows the progress of an import, also without JavaScript, until its process has ended', async () => {
    const store = await open();
    const desk = await openAudience(store);
    const path = pathOf(await upload(desk, CSV));
    expect(await settled(desk, path)).not.toContain('http-equiv="refresh"');
    const running = { state: 'importing' as const, changed_at: desk.app.now, rows_read: 1_204, bytes_read: 1, size: 4 };
    await store.db.updateTable('subscriber_imports').set(running).execute();
    const page = await desk.read('audience', path);
    expect(page).toContain('<noscript><meta http-equiv="refresh" content="5"></noscript>');
    expect(page).toMatch(/<p data-pending><progress max="100" value="25"[^>]*>25 %<\/progress>\s*1,204 rows read/);
    // The report is still that of the check.
    expect(page).toContain('What the check found');
    expect((await desk.get('audience', path)).headers.get('Refresh')).toBeNull();
    const silent = { changed_at: desk.app.now - DAY };
    await store.db.updateTable('subscriber_imports').set(silent).execute();
    const ended = await desk.read('audience', path);
    expect(ended).toContain('interrupted: its process has ended');
    expect(ended).not.toMatch(/data-pending|http-equiv="refresh"/);
  });

  it('refuses a file that says who has left in words that are not known, and deletes it', async () => {
    const desk = await openAudience(await open());
    const file = 'email,status\nkay@example.com,gone\n';
    const page = await settled(desk, pathOf(await upload(desk, file)));
    expect(page).toContain('refused');
    expect(page).toContain('daywire does not know');
    expect(page).not.toContain(desk.app.config.paths.data);
    expect(filesOf(desk).filter((name) => name.endsWith('.csv'))).toEqual([]);
    const again = await settled(
      desk,
      pathOf(await upload(desk, file, { fields: { statusColumns: 'status', status: 'gone=unsubscribed' } })),
    );
    expect(again).toContain('nothing is imported yet');
  });

  it('discards a file, and deletes what nobody confirmed within a day and rejected rows after a week', async () => {
    const store = await open();
    const desk = await openAudience(store);
    const first = pathOf(await upload(desk, CSV));
    await settled(desk, first);
    expect(await desk.act('audience', `${first}/discard`)).toContain('nothing was imported');
    expect(filesOf(desk)).toEqual([]);
    await settled(desk, pathOf(await upload(desk, CSV)));
    await deleteOldUploads(desk.app, desk.app.now + DAY);
    expect(filesOf(desk)).toHaveLength(2);
    await deleteOldUploads(desk.app, desk.app.now + DAY + 1);
    expect(filesOf(desk)).toEqual([]);
    expect(await deleteOldUploads(desk.app, desk.app.now + REJECTS_KEPT + 1)).toBe(2);
    expect((await desk.get('audience', first)).status).toBe(404);
  });
});

it('refuses what is too large, empty, cut, of a wrong type or for no newsletter, and leaves no file', async () => {
  const desk = await openAudience(await openMigrated());
  async function* endless() {
    yield Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n');
    const part = Buffer.alloc(1024 * 1024, 'a\n');
    for (let sent = 0; sent <= MAX_UPLOAD; sent += part.length) yield part;
  }
  const boundary = { 'Content-Type': 'multipart/form-data; boundary=b' };
  const cut = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nemail\nkay@example.com';
  const refused: [Promise<Response>, number, string][] = [
    [upload(desk, '', { body: ReadableStream.from(endless()), headers: boundary }), 413, 'more than 64 MB'],
    [upload(desk, CSV, { headers: { 'Content-Length': '99999999' } }), 413, 'more than 64 MB'],
    [upload(desk, ''), 422, 'Choose a file that is not empty.'],
    [upload(desk, '', { body: cut, headers: boundary }), 400, 'ended in the middle'],
    [upload(desk, '', { body: 'x'.repeat(9_000), headers: boundary }), 400, 'ended in the middle'],
    [upload(desk, CSV, { newsletter: '' }), 422, 'Choose at least one newsletter.'],
    [upload(desk, CSV, { fields: { status: 'nonsense' } }), 422, 'a status is one of'],
    [upload(desk, CSV, { fields: { status: 'gone=&x', ignore: 'mood' } }), 422, 'value="gone=&amp;x"'],
    [upload(desk, CSV, { fields: { status: 'no', ignore: 'mood' } }), 422, 'value="mood"'],
    [upload(desk, '', { body: new URLSearchParams({ file: CSV }) }), 415, 'not a form with a file'],
  ];
  for (const [response, status, reason] of refused) {
    const { status: got } = await response;
    const page = await (await response).text();
    expect([reason, got]).toEqual([reason, status]);
    expect(page).toContain(reason);
  }
  for (let length = 0; length < cut.length; length++) {
    expect((await upload(desk, '', { body: cut.slice(0, length), headers: boundary })).status).toBe(400);
  }
  expect((await upload(desk, CSV, { role: 'operator' })).status).toBe(403);
  expect(filesOf(desk)).toEqual([]);
  expect(await desk.audit()).toEqual([]);
});

it('gives files harmless names that still say what is in them', async () => {
  expect(fileNameOf('C:\\Users\\kay\\unsubscribed.csv')).toBe('unsubscribed.csv');
  expect(fileNameOf('../../etc/passwd')).toBe('passwd');
  expect(fileNameOf('..')).toBe('upload.csv');
  expect(fileNameOf('')).toBe('upload.csv');
  expect(fileNameOf(`${'a'.repeat(5_000)}.csv`)).toHaveLength(80);
  const desk = await openAudience(await openMigrated());
  const page = await settled(
    desk,
    pathOf(await upload(desk, `email,mood\n${HOSTILE},\nkay@example.com,${HOSTILE}\n`, { name: HOSTILE })),
  );
  expect(page).not.toContain('<script>alert');
  expect(page).toContain('nothing is imported yet');
});
