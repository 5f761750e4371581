import { expect, it } from 'vitest';
import { streamLines } from '../../../src/audience/desk/export-pages.ts';
import { eraseSubscriber } from '../../../src/audience/erasure.ts';
import { suppressAddress } from '../../../src/audience/suppression.ts';
import { PASSWORD } from '../../app/desk/test-desk.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { addConfirmed, OPERATOR, requestNewsletters, unsubscribe } from '../fixtures.ts';
import { JUN, openAudience } from './audience-fixtures.ts';

const HOSTILE = `"><script>alert(1)</script>`;

forEachDatabase((open) => {
  it('shows totals and growth by day and by week, with the numbers in a table', async () => {
    const store = await open();
    const desk = await openAudience(store);
    const other = await addConfirmed(store, 'kay@example.com', ['daily-roundup'], desk.app.now);
    await unsubscribe(store.db, { subscriberId: other, newsletter: 'daily-roundup' }, OPERATOR, desk.app.now);
    for (const path of ['/audience', '/audience?by=week']) {
      const page = await desk.read('operator', path);
      expect(page).toContain('2 new, 1 left, net +1');
      expect(page).toMatch(/class="num">1<\/td><td [^>]*class="num">0<\/td><td [^>]*class="num">1<\/td>/);
      expect(page).toMatch(/<tr><th scope="row">2026-11-\d\d<\/th><td>2<\/td><td>-1<\/td><td>1<\/td><\/tr>/);
    }
  });

  it('shows the form for the own site to copy, and the site of a request', async () => {
    const store = await open();
    const desk = await openAudience(store);
    expect(await desk.read('operator', '/audience')).toContain(
      '&lt;form method=&quot;post&quot; action=&quot;http://127.0.0.1:8080/api/subscribe&quot; data-daywire',
    );
    const request = { email: JUN, now: desk.app.now, origin: 'https://times.example' };
    await requestNewsletters(store, ['weekly-roundup'], request);
    expect(await desk.read('audience', `/audience/${desk.id}`)).toMatch(/Requested .+ at https:\/\/times\.example/);
  });

  it('finds addresses by their beginning, page by page, and nothing of the search is in an address', async () => {
    const store = await open();
    const desk = await openAudience(store);
    for (let n = 0; n < 51; n++) await addConfirmed(store, `jun${n}@example.com`, ['daily-roundup']);
    const first = await desk.post('audience', '/audience', { address: 'JUN' });
    expect(first.status).toBe(200);
    const page = await first.text();
    expect(page.match(/<th scope="row"><a/g)).toHaveLength(50);
    const after = page.match(/name="after" value="(\d+)"/)?.[1] as string;
    expect(page).not.toMatch(/(href|action)="[^"]*@/);
    const second = await (await desk.post('audience', '/audience', { address: 'JUN', after })).text();
    expect(second.match(/<th scope="row"><a/g)).toHaveLength(2);
    expect(second).not.toContain('name="after"');
    expect(desk.log.lines.join('\n')).not.toContain('JUN');
  });

  it('lets operators search a whole address only, and shows it masked', async () => {
    const store = await open();
    const desk = await openAudience(store);
    for (const address of ['j', 'jun.li', 'jun.li@example.co', 'jun.li@']) {
      const response = await desk.post('operator', '/audience', { address });
      const page = await response.text();
      expect([address, response.status, page.includes(`/audience/${desk.id}"`)]).toEqual([
        address,
        address.endsWith('.co') ? 200 : 422,
        false,
      ]);
    }
    const found = await (await desk.post('operator', '/audience', { address: JUN })).text();
    expect(found).toContain(`/audience/${desk.id}"`);
    expect(found).toContain('<bdi class="break">j…@example.com</bdi>');
  });

  it('lists suppressions, and says whose they are where that is known', async () => {
    const store = await open();
    const desk = await openAudience(store);
    const secrets = await desk.app.keys.signingSecrets();
    const erased = await addConfirmed(store, 'kay@example.com', ['daily-roundup']);
    await eraseSubscriber(store.db, secrets, erased, desk.app.now);
    await suppressAddress(store.db, secrets, desk.id, 'complaint', { channel: 'complaint' }, desk.app.now + 1);
    const page = await desk.read('audience', '/audience/suppressions');
    expect(page).toMatch(/jun\.li@example\.com[\s\S]*a complaint[\s\S]*not stored; hash [0-9a-f]{12}…/);
    const masked = await desk.read('operator', '/audience/suppressions');
    expect(masked).toContain('j…@example.com');
    expect(masked).not.toContain('jun.li');
  });

  it('looks one address up, suppresses it, and lifts that, with no address in the audit log', async () => {
    const store = await open();
    const desk = await openAudience(store);
    const path = '/audience/suppressions';
    const gone = 'gone.person@example.com';
    const found = await (await desk.post('audience', path, { address: gone })).text();
    expect(found).toContain('not suppressed');
    const reason = `asked us, from ${gone}`;
    expect(await desk.act('audience', `${path}/suppress`, { address: gone, reason })).toContain('is on the list');
    const after = await (await desk.post('audience', path, { address: ` ${gone.toUpperCase()}` })).text();
    expect(after).toContain('blocked by an operator');
    const refused = await (await desk.post('audience', `${path}/lift`, { address: gone })).text();
    expect(refused).toContain('Say why');
    expect(await desk.act('audience', `${path}/lift`, { address: gone, reason })).toContain('off the list');
    const audit = await desk.audit();
    expect(audit.map(({ act }) => act)).toEqual(['suppression.add', 'suppression.lift']);
    expect(audit[0]?.subject).toMatch(/^suppression\/[0-9a-f]{12}$/);
    expect(JSON.stringify(audit)).not.toContain('gone.person');
    expect(desk.log.lines.join('\n')).not.toContain('gone.person');
    expect((await desk.post('operator', `${path}/lift`, { address: gone, reason })).status).toBe(403);
  });

  it('streams the list as CSV after the password, and records the number of rows', async () => {
    const store = await open();
    const desk = await openAudience(store);
    await addConfirmed(store, 'kay@example.com', ['daily-roundup']);
    const wrong = await desk.post('audience', '/audience/export', { password: 'wrong', newsletter: 'daily-roundup' });
    expect(wrong.status).toBe(422);
    const again = await wrong.text();
    expect(again).toContain('<h1>Export subscribers</h1>');
    expect(again).toContain('That was not your password: nothing was done.');
    expect(again).toContain('<option value="daily-roundup" selected>');
    expect(again).toContain('href="/desk/audience">Back to the subscribers');
    const fields = { password: PASSWORD, newsletter: 'daily-roundup' };
    const response = await desk.post('audience', '/audience/export', fields);
    expect(response.headers.get('Content-Type')).toBe('text/csv; charset=utf-8');
    const lines = (await response.text()).trimEnd().split('\n');
    expect(lines.map((line) => line.split(',')[0])).toEqual(['email', JUN, 'kay@example.com']);
    expect(await desk.audit()).toEqual([
      { actor: 'Auden Vale', act: 'audience.export', subject: 'newsletter/daily-roundup', detail: {} },
      {
        ...{ actor: 'Auden Vale', act: 'audience.export-end', subject: 'newsletter/daily-roundup' },
        detail: { rows: 2, isComplete: true },
      },
    ]);
    expect((await desk.post('operator', '/audience/export', fields)).status).toBe(403);
  });
});

it('an export whose reader leaves is recorded with the rows that were read', async () => {
  async function* parts() {
    yield 'header\n';
    yield 'a\nb\n';
    yield 'c\n';
  }
  const ends: unknown[] = [];
  const reader = streamLines(parts(), async (...end) => void ends.push(end)).getReader();
  await reader.read();
  await reader.read();
  await reader.cancel();
  expect(ends).toEqual([[2, false]]);
});

it('shows what was typed harmlessly, and says why it was not searched', async () => {
  const desk = await openAudience(await openMigrated());
  for (const [path, address] of [
    ['/audience', `ä${HOSTILE}`],
    ['/audience', ''],
    ['/audience/suppressions', HOSTILE],
  ] as const) {
    const response = await desk.post('audience', path, { address });
    expect([path, address, response.status]).toEqual([path, address, 422]);
    expect(await response.text()).not.toContain('<script>alert');
  }
  const page = await desk.post('audience', '/audience', { address: HOSTILE });
  expect(await page.text()).not.toContain('<script>alert');
});
