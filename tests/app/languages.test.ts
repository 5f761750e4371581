/** A newsroom in each language, as `daywire init` writes it: its pages, emails and feeds as golden files. */
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { DEFAULT_ANSWERS, init } from '../../src/app/init.ts';
import type { Article } from '../../src/articles/article.ts';
import { textFile } from '../../src/articles/import/files/import-files.ts';
import { importFiles } from '../../src/articles/import/import.ts';
import { unsubscribeToken } from '../../src/audience/tokens.ts';
import { loadConfig } from '../../src/core/config/config.ts';
import { composeNow } from '../../src/delivery/closing/close.ts';
import { prepareServiceMessage } from '../../src/delivery/message/service-message.ts';
import { publishFeeds } from '../../src/feeds/publish/publish-feeds.ts';
import { textDirection } from '../../src/lib/locale/direction.ts';
import { BUILT_IN_LOCALES, languagesIn } from '../../src/lib/locale/message-file.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import { HOUR } from '../../src/lib/time.ts';
import { addConfirmed } from '../audience/fixtures.ts';
import { saveAsPublished } from '../support/articles.ts';
import { openMigrated } from '../support/databases.ts';
import { expectGolden } from '../support/golden.ts';
import { allArticles, SECRETS } from '../support/sample.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openTestApp } from '../support/test-app.ts';
import { NOW, openTestSite, preferencesPath, withoutVersion } from './test-site.ts';

/** Without what is the same in every language: style sheets, and the list of time zones. */
function brief(html: string): string {
  return withoutVersion(html)
    .replace(/<style[^>]*>[\s\S]*?<\/style>/g, '<style></style>')
    .replace(/<optgroup[\s\S]*<\/optgroup>/, '…');
}

describe.each(languagesIn(BUILT_IN_LOCALES).filter((language) => language !== 'en'))('a newsroom in %s', (language) => {
  it('has pages, emails and feeds in that language, in its direction', async () => {
    const folder = temporaryFolder();
    await init(folder, { ...DEFAULT_ANSWERS, name: 'Meridian', zone: 'Asia/Shanghai', language }, NOW - HOUR);
    const loaded = loadConfig(join(folder, 'config/daywire.yaml'), { DAYWIRE_SECRET: 's'.repeat(40) }, folder);
    const newsletters = loaded.newsletters.slice(0, 1).map((one) => ({
      ...{ ...one, minimumStories: 1, show: { contents: true, readingTime: true, thumbnails: false } },
    }));
    const config = { ...loaded, newsletters, feeds: loaded.feeds.slice(0, 2) };
    const [newsletter] = newsletters as [(typeof newsletters)[number]];

    const store = await openMigrated();
    const example = await readFile(join(folder, 'articles/example.md'), 'utf8');
    const file = textFile('articles/example.md', example.replace('state: draft\n', ''), 'markdown');
    await importFiles(store, config, [file], { clock: () => NOW });
    const [story] = (await allArticles(store)) as [Article];
    const other = (id: string, change: Partial<Article>): Article => {
      return { ...story, id, slug: id, tagUri: `tag:example.com,2026:articles/${id}`, ...change };
    };
    const person = { role: 'reporter', name: 'Mei Tan', email: 'mei@example.com' } as const;
    await saveAsPublished(store, [
      other('analysis', {
        kind: 'analysis',
        bylines: [...story.bylines, person, { ...person, role: 'editor', name: 'Cy Ma', email: 'cy@example.com' }],
        related: [{ title: story.headline, url: 'https://example.com/earlier' }],
        status: { state: 'corrected', note: story.dek ?? '', at: NOW - HOUR },
      }),
      other('report', {
        kind: 'roundup-item',
        outlet: { name: 'Harbour Post', url: 'https://example.com/report', publishedAt: NOW - 30 * HOUR },
        also: [{ name: 'The Daily Circuit', url: 'https://example.com/also' }],
      }),
    ]);
    await addConfirmed(store, 'ada@example.com', [newsletter.id], NOW);
    const templates = openTemplates(config.paths.templates, config.publication.zone, config.ownMessages);
    const app = Object.assign(openTestApp(store, { folder }), { config, templates, now: NOW });
    expect(await composeNow(app, newsletter)).toMatchObject({ kind: 'closed' });
    await publishFeeds(store, config, templates, { now: NOW });
    const site = openTestSite(store, config, { templates });

    const golden = (name: string, text: string): void => expectGolden(`languages/${language}/${name}`, text);
    const edition = await store.db.selectFrom('editions').selectAll().executeTakeFirstOrThrow();
    const withoutNonce = (text: string): string => text.replaceAll(edition.nonce, 'NONCE');
    golden('edition.html', brief(withoutNonce(edition.html)));
    golden('edition.txt', `${edition.subject}\n${edition.preheader}\n\n${withoutNonce(edition.text)}`);
    const pages = {
      'front.html': '/',
      'article.html': '/articles/analysis',
      'newsletters.html': '/newsletters',
      'preferences.html': preferencesPath(1),
      'unsubscribe.html': `/unsubscribe/${unsubscribeToken(SECRETS, { subscriberId: 1, newsletter: newsletter.id })}`,
    };
    for (const [name, path] of Object.entries(pages)) {
      const html = await site.read(path);
      expect(html).toContain(`<html lang="${language}" dir="${textDirection(language)}">`);
      // Nothing is in English instead.
      expect(html).not.toContain('<span lang="en"');
      golden(name, brief(html));
    }
    golden('feed.atom', await site.read('/feeds/latest.atom'));
    const message = await prepareServiceMessage(
      {
        ...{ id: 3, kind: 'confirm', subscriberId: 1, email: 'ada@example.com', tokenVersion: 1, consent: null },
        ...{ newsletters: [newsletter.id], createdAt: NOW, expiresAt: NOW + 72 * HOUR },
      },
      { config, templates, secrets: SECRETS, signers: [] },
    );
    const { subject, text, html } = await simpleParser(Buffer.concat(message.chunks));
    golden('confirm.txt', `${subject}\n\n${text}`);
    golden('confirm.html', brief(html || ''));
    await store.close();
    rmSync(folder, { recursive: true });
  });
});
