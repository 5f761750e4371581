/**
 * How long it takes to compose an edition of 25 stories: reading, selecting, Liquid, MJML, text, archive page.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Article, tagUri } from '../src/articles/article.ts';
import { saveArticle } from '../src/articles/import/save.ts';
import { type Config, type NewsletterConfig, parseConfig } from '../src/core/config/config.ts';
import { migrate } from '../src/core/store/schema.ts';
import { openStore, type Store } from '../src/core/store/store.ts';
import { type ComposedEdition, composeEdition } from '../src/editions/compose.ts';
import { editionSlot } from '../src/editions/slot.ts';
import { openTemplates } from '../src/lib/templates.ts';
import { HOUR, MINUTE } from '../src/lib/time.ts';
import { median } from './figures.ts';

export const CUTOFF = Date.UTC(2026, 10, 23, 23, 30);
const WARM_UP = 20;
const RUNS = 101;

/** @returns the median of composing once warm, in milliseconds, and the bytes of the compiled HTML and text */
export async function benchCompose(): Promise<Record<string, number>> {
  const root = resolve(import.meta.dirname, '..');
  const file = join(root, 'config/daywire.yaml');
  const config = parseConfig(readFileSync(file, 'utf8'), { file, env: {}, cwd: root });
  const newsletter = config.newsletters[0];
  if (newsletter === undefined) throw new Error(`${file} has no newsletter to compose`);
  const store = await openStore({ path: ':memory:' });
  try {
    await migrate(store);
    await saveStories(store);
    const compose = composer(store, config, newsletter);
    const edition = await compose();
    for (let n = 0; n < WARM_UP; n++) await compose();
    const times: number[] = [];
    for (let n = 0; n < RUNS; n++) {
      const start = performance.now();
      await compose();
      times.push(performance.now() - start);
    }
    return {
      composeMs: median(times),
      composeHtmlBytes: Buffer.byteLength(edition.html),
      composeTextBytes: Buffer.byteLength(edition.text),
    };
  } finally {
    await store.close();
  }
}

function composer(store: Store, config: Config, newsletter: NewsletterConfig): () => Promise<ComposedEdition> {
  const templates = openTemplates(config.paths.templates, config.publication.zone);
  const slot = editionSlot(CUTOFF, config.publication.zone, false);
  const options = { slot, cutoffAt: CUTOFF, now: CUTOFF, nonce: '5f2c9a71d04be83c6e1f7a90b4d8c215' };
  return async () => {
    const outcome = await composeEdition(store, config, templates, newsletter, options);
    if (outcome.kind !== 'composed') throw new Error(`nothing was composed: ${outcome.kind}`);
    if (outcome.articles.length !== 25) throw new Error(`composed ${outcome.articles.length} stories, not 25`);
    return outcome;
  };
}

/** Stories enough for an edition of 25. @param change of each story, by its number */
export async function saveStories(
  store: Store,
  change: (number: number) => Partial<Article> = () => ({}),
): Promise<void> {
  const stories = [
    story('lead', 1, { kind: 'feature', kicker: 'Cover Story' }, 6),
    ...Array.from({ length: 8 }, (_, n) => story(`news-${n}`, n + 2, {}, 4)),
    ...Array.from({ length: 4 }, (_, n) => story(`analysis-${n}`, n + 3, { kind: 'analysis', kicker: 'Analysis' }, 6)),
    ...Array.from({ length: 6 }, (_, n) => {
      const outlet = { name: 'South China Morning Post', url: `https://example.com/scmp/${n}`, publishedAt: null };
      return story(`item-${n}`, n + 2, { kind: 'roundup-item', outlet }, 1);
    }),
    ...Array.from({ length: 6 }, (_, n) => story(`yesterday-${n}`, n + 25, {}, 4)),
  ];
  await store.db.transaction().execute(async (tx) => {
    for (const [number, one] of stories.entries()) {
      await saveArticle(tx, { ...one, ...change(number) }, one.id, one.publishedAt);
    }
  });
}

const SENTENCES = [
  'Makers shipped 35.3 million smartphones in March, 67.7% more than a year earlier, an academy under the ministry said.',
  'The figure was lower than in the month before, and a shortage of chips still weighs on the plans of most of them.',
  'Analysts of <a href="https://example.com/report?year=2021&amp;quarter=1">a research firm</a> expect it to last into autumn.',
];

function story(id: string, hours: number, rest: Partial<Article>, paragraphs: number): Article {
  const bodyHtml = `<p>${SENTENCES.join(' ')}</p>`.repeat(paragraphs);
  const publishedAt = CUTOFF - hours * HOUR + MINUTE;
  return {
    id,
    tagUri: tagUri('example.com,2026', id),
    slug: id,
    url: null,
    kind: 'brief',
    kicker: null,
    topic: 'Smartphones',
    headline: `Smartphone shipments jump by two thirds as chip shortage looms (${id})`,
    shortHeadline: null,
    pinned: false,
    dek: 'Makers shipped 35.3 million of them in March, 67.7% more than a year earlier.',
    body: { format: 'html', source: bodyHtml },
    bodyHtml,
    publishedAt,
    updatedAt: publishedAt,
    section: 'business-tech',
    tags: [],
    bylines: [{ role: 'reporter', name: 'Lin Anran', email: 'lin.anran@example.com' }],
    fullStory: { url: `https://example.com/full/${id}`, title: 'The phone makers that chips forgot' },
    related: [{ url: `https://example.com/related/${id}`, title: 'Shipments fell by a fifth last year' }],
    outlet: null,
    also: [],
    eventKey: null,
    image: null,
    enclosures: [],
    language: 'en',
    status: { state: 'published' },
    page: null,
    ...rest,
  };
}
