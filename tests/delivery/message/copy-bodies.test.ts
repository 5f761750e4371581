import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { TEST_COPIES, TEST_SEGMENTS } from '../../../scripts/test-edition.ts';
import { openCopyBodies } from '../../../src/delivery/message/copy-bodies.ts';
import type { EditionSegments } from '../../../src/editions/copies/copy.ts';
import { fillCopy } from '../../../src/editions/copies/copy.ts';
import type { Part } from '../../../src/editions/copies/segments.ts';
import { runs } from '../../support/run-scope.ts';
import { ADA, headersOf, makerOf, NONCE, rawOf } from './messages.ts';

const UNSUBSCRIBE = `%%${NONCE}:unsubscribe%%`;
const LINKS = { unsubscribe: 'https://example.com/u?a=1&b=2', preferences: 'https://example.com/p' };
const STORIES = [0, 1, 2];

/** Texts that are difficult to join: they begin or end with a dot, spaces or line ends, or have no line end. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }).map((one) => one.replace(/\r/g, '')),
  fc.constantFrom('.', '\n.', 'From ', ' ', '\t', '\n', '\n\n', '=', 'é'.repeat(80), 'x'.repeat(76), 'y'.repeat(3_000)),
  fc.constantFrom('电池降价'.repeat(300), `%%${NONCE}:preheader%%`, `%%${NONCE}:headline%%`, UNSUBSCRIBE),
);
const condition = fc.oneof(
  fc.subarray(STORIES, { minLength: 1 }).map((any) => ({ any })),
  fc.subarray(STORIES).map((none) => ({ none })),
  fc.subarray(STORIES).map((of) => ({ of, count: 1 })),
  fc.constant({ minutes: 2 }),
);
const { parts } = fc.letrec<{ parts: Part[]; part: Part }>((tie) => ({
  parts: fc.array(tie('part'), { maxLength: 5 }),
  part: fc.oneof({ depthSize: 'small' }, text, fc.record({ when: condition, parts: tie('parts') })),
}));
const segmentsOf = fc.record({ html: parts, text: parts }).map(
  ({ html, text: lines }): EditionSegments => ({
    stories: STORIES.map((n) => ({
      ...{ articleId: `${n}`, sections: [], tags: [], reporters: [], isForAll: false, minutes: 1 },
    })),
    minutes: 0,
    preheaders: [{ story: 1, text: 'Of <one> & "two"' }],
    html: [...html, `<a href="${UNSUBSCRIBE}">`, ...html],
    text: [...lines, `Unsubscribe: ${UNSUBSCRIBE}\n`],
  }),
);

const read = (contentType: string, chunks: Buffer[]) =>
  PostalMime.parse(Buffer.concat([Buffer.from(`Content-Type: ${contentType}\r\n\r\n`), ...chunks]));
/** The parser adds line ends, and keeps those of base64. */
const parsedText = (one: string): string => one.replaceAll('\r\n', '\n').replace(/\n+$/, '');

describe('the body of a copy', () => {
  it('is, when it is decoded, the chosen parts joined and filled in, also after other copies', async () => {
    await fc.assert(
      fc.asyncProperty(
        segmentsOf,
        fc.array(fc.subarray(STORIES), { minLength: 1, maxLength: 4 }),
        async (all, some) => {
          const bodyOf = openCopyBodies(all, NONCE, '0');
          for (const stories of some) {
            const subject = `Subject of ${stories.length} & “more”`;
            const body = bodyOf({ stories: JSON.stringify(stories), subject });
            const { chunks } = body.copy(LINKS);
            const mail = await read(body.contentType, chunks);
            const expected = fillCopy(all, { stories, subject }, NONCE, LINKS);
            expect(parsedText(mail.text ?? '')).toBe(parsedText(expected.text));
            expect(parsedText(mail.html ?? '')).toBe(parsedText(expected.html));
            expect(Buffer.concat(chunks).toString('latin1')).not.toMatch(/^\.|^From |.{77}/m);
          }
        },
      ),
      { numRuns: runs(150) },
    );
  });

  it('throws if a copy could lack the unsubscribe link', () => {
    const html: Part[] = [{ when: { any: [0] }, parts: [UNSUBSCRIBE] }];
    expect(() => openCopyBodies({ ...TEST_SEGMENTS, html }, NONCE, '0')).toThrow('no placeholder unsubscribe');
  });
});

describe('the message of a copy', () => {
  const make = makerOf({ edition: { segments: TEST_SEGMENTS } });

  it('has the subject, the preheader and the stories of the copy', async () => {
    const [first, , last] = TEST_COPIES;
    const raw = rawOf(await make({ ...ADA, copy: first! }));
    expect(headersOf(raw)).toContain('Subject: Battery Makers Cut Prices');
    const { html = '', text: lines } = await PostalMime.parse(raw);
    expect(html).toContain(
      '<p>Prices fell by a fifth &amp; more.</p><h1>Battery Makers Cut Prices</h1><h2>Ünter & 三星</h2><a',
    );
    expect(lines).toMatch(/^Battery Makers Cut Prices\n\nBattery makers cut prices\.\n\nUnsubscribe: https:\S+\n+$/);
    const other = await PostalMime.parse(rawOf(await make({ ...ADA, copy: last! })));
    expect(other.html).toContain('<p>Chips go east.</p><h1>Chips Go East</h1><h2>Chips</h2>.');
  });

  it('has the same bytes whatever was made before it, and the Message-ID of the whole edition', async () => {
    const fresh = await Promise.all(
      TEST_COPIES.map(async (copy) => rawOf(await makerOf({ edition: { segments: TEST_SEGMENTS } })({ ...ADA, copy }))),
    );
    // More copies than are kept.
    for (let n = 0; n < 200; n++) await make({ ...ADA, copy: { stories: '[0]', subject: `${n}` } });
    const again = await Promise.all(TEST_COPIES.map(async (copy) => rawOf(await make({ ...ADA, copy }))));
    expect(again).toEqual(fresh);
    const idOf = (raw: Buffer) => headersOf(raw).find((line) => line.startsWith('Message-ID'));
    expect(new Set([...fresh, rawOf(await make(ADA))].map(idOf)).size).toBe(1);
  });

  it('is the whole edition for those without a copy: the same bytes as without choices', async () => {
    expect(rawOf(await make(ADA))).toEqual(rawOf(await makerOf()(ADA)));
  });

  it('cannot be made of an edition without segments', async () => {
    await expect(makerOf()({ ...ADA, copy: TEST_COPIES[0]! })).rejects.toThrow('no segments');
  });
});
