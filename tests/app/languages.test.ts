/** A newsroom in each language, as `daywire init` writes it: its pages, emails and feeds as golden files. */
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { prepareServiceMessage } from '../../src/delivery/message/service-message.ts';
import { textDirection } from '../../src/lib/locale/direction.ts';
import { BUILT_IN_LOCALES, languagesIn } from '../../src/lib/locale/message-file.ts';
import { HOUR } from '../../src/lib/time.ts';
import { validateFeed } from '../feeds/formats/validator.ts';
import { expectGolden } from '../support/golden.ts';
import { htmlFaults } from '../support/html-faults.ts';
import { SECRETS } from '../support/sample.ts';
import { openLanguageNewsroom } from './language-newsroom.ts';
import { NOW, withoutVersion } from './test-site.ts';

/** Without what is the same in every language: style sheets, and the list of time zones. */
function brief(html: string): string {
  return withoutVersion(html)
    .replace(/<style[^>]*>[\s\S]*?<\/style>/g, '<style></style>')
    .replace(/<optgroup[\s\S]*<\/optgroup>/, '…');
}

describe.each(languagesIn(BUILT_IN_LOCALES))('a newsroom in %s', (language) => {
  it('has pages, emails and feeds in that language, in its direction', async () => {
    const { store, config, newsletter, templates, site, pages } = await openLanguageNewsroom(language);

    const golden = (name: string, text: string): void => expectGolden(`languages/${language}/${name}`, text);
    const edition = await store.db.selectFrom('editions').selectAll().executeTakeFirstOrThrow();
    const withoutNonce = (text: string): string => text.replaceAll(edition.nonce, 'NONCE');
    golden('edition.html', brief(withoutNonce(edition.html)));
    golden('edition.txt', `${edition.subject}\n${edition.preheader}\n\n${withoutNonce(edition.text)}`);
    for (const [name, path] of Object.entries(pages)) {
      const html = await site.read(path);
      expect(html).toContain(`<html lang="${language}" dir="${textDirection(language)}">`);
      // Nothing is in English instead.
      expect(html).not.toContain('<span lang="en"');
      expect(await htmlFaults(html)).toEqual([]);
      golden(`${name}.html`, brief(html));
    }
    for (const format of ['rss', 'atom']) {
      const url = `${config.publication.url}/feeds/latest.${format}`;
      expect(validateFeed(await site.read(`/feeds/latest.${format}`), url, NOW)).toEqual([]);
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
    for (const mail of [edition.html, html || '']) expect(await htmlFaults(mail)).toEqual([]);
    await store.close();
  });
});
