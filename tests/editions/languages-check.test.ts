import { expect, it } from 'vitest';
import { checkLanguages } from '../../src/editions/capability.ts';
import { importJson } from '../articles/imports.ts';
import { NOW } from '../support/clock.ts';
import { openMigrated } from '../support/databases.ts';
import { openTestApp } from '../support/test-app.ts';

it('warns of a newsletter that would take articles in another language than its own', async () => {
  const store = await openMigrated();
  const { config } = openTestApp(store);
  const article = { headline: 'H', kind: 'brief', published: '2026-11-20T10:00:00Z' };
  await importJson(store, [
    { ...article, id: 'a', language: 'de-AT' },
    { ...article, id: 'b', language: 'en-GB' },
    { ...article, id: 'c', language: 'fr', published: '2026-01-20T10:00:00Z' },
  ]);
  const [first] = config.newsletters.map((one) => ({ ...one, select: {} }));
  const check = (select: object) =>
    checkLanguages(store, { ...config, newsletters: [{ ...first, select } as (typeof config.newsletters)[0]] }, NOW);
  expect(await check({})).toEqual([
    {
      kind: 'warning',
      message:
        `newsletter ${first?.id} is in en, and takes other articles: in 30 days 1 in de-at; ` +
        'set select: { languages: [en] } (docs/languages.md)',
    },
  ]);
  expect(await check({ languages: ['en'] })).toEqual([]);
});
