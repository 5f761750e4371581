import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import type { Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { article, NOW, openTestSite, save, saveDay, type TestSite } from '../../app/test-site.ts';
import { openMigrated } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';

/**
 * The properties that daywire writes, by type: what a value of each may be. From https://schema.org/<property>, and
 * https://developers.google.com/search/docs/appearance/structured-data/article, …/breadcrumb and …/profile-page. The
 * same objects were checked with the types of `schema-dts` 2.1. These differ in two places: they want pixels as text,
 * where Google's examples have numbers, and lack `query-input` (https://schema.org/docs/actions.html).
 */
const TEXT = 'text';
const URL_ = 'url';
const DATE = 'date';
const NUMBER = 'number';
const BOOLEAN = 'boolean';
const ARTICLE: Record<string, string[]> = {
  mainEntityOfPage: [URL_],
  headline: [TEXT],
  description: [TEXT],
  image: ['ImageObject'],
  datePublished: [DATE],
  dateModified: [DATE],
  author: ['Person', 'NewsMediaOrganization'],
  editor: ['Person'],
  publisher: ['NewsMediaOrganization'],
  articleSection: [TEXT],
  keywords: [TEXT],
  inLanguage: [TEXT],
  isAccessibleForFree: [BOOLEAN],
  isBasedOn: [URL_],
  correction: ['CorrectionComment'],
};
const TYPES: Record<string, Record<string, string[]>> = {
  NewsArticle: ARTICLE,
  AnalysisNewsArticle: ARTICLE,
  ImageObject: { url: [URL_], width: [NUMBER], height: [NUMBER], caption: [TEXT], creditText: [TEXT] },
  Person: { name: [TEXT], url: [URL_] },
  NewsMediaOrganization: { '@id': [URL_], name: [TEXT], url: [URL_], logo: ['ImageObject'] },
  CorrectionComment: { text: [TEXT], datePublished: [DATE] },
  BreadcrumbList: { itemListElement: ['ListItem'] },
  ListItem: { position: [NUMBER], name: [TEXT], item: [URL_] },
  WebSite: {
    ...{ name: [TEXT], url: [URL_], description: [TEXT], inLanguage: [TEXT] },
    ...{ publisher: ['reference'], potentialAction: ['SearchAction'] },
  },
  SearchAction: { target: ['EntryPoint'], 'query-input': [TEXT] },
  EntryPoint: { urlTemplate: [TEXT] },
  ProfilePage: { mainEntity: ['Person'] },
};

type Told = Record<string, unknown>;

/** What is wrong with an object, one line each. */
function faults(told: Told, path = ''): string[] {
  const type = `${told['@type']}`;
  const properties = TYPES[type];
  if (properties === undefined) return [`${path}: unknown type ${type}`];
  return Object.entries(told).flatMap(([name, value]) => {
    if (name === '@type') return [];
    const place = `${path}/${type}.${name}`;
    const allowed = properties[name];
    if (allowed === undefined) return [`${place}: not a property`];
    const values = Array.isArray(value) ? value : [value];
    if (values.length === 0) return [`${place}: empty`];
    return values.flatMap((one) => {
      const is = kindOf(one);
      if (!allowed.some((kind) => is.includes(kind))) return [`${place}: is ${is}, not ${allowed}`];
      return typeof one === 'object' && !is.includes('reference') ? faults(one, place) : [];
    });
  });
}

function kindOf(value: unknown): string[] {
  if (typeof value === 'number' || typeof value === 'boolean') return [typeof value];
  if (typeof value === 'object' && value !== null) {
    const told = value as Told;
    return Object.keys(told).join() === '@id' ? ['reference'] : [`${told['@type']}`];
  }
  if (typeof value !== 'string' || value === '') return ['nothing'];
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)$/.test(value)) return [TEXT, DATE];
  return URL.canParse(value) && /^https?:/.test(value) ? [TEXT, URL_] : [TEXT];
}

function graphOf(html: string): Told[] {
  const found = [...html.matchAll(/<script type="application\/ld\+json">(.*)<\/script>/g)];
  expect(found.length).toBeLessThanOrEqual(1);
  return found[0] === undefined ? [] : JSON.parse(found[0][1] as string)['@graph'];
}

describe('the structured data', () => {
  let store: Store;
  let site: TestSite;
  beforeAll(async () => {
    store = await openMigrated();
    site = openTestSite(store);
    await saveDay(store);
  });
  afterAll(() => store.close());

  async function dataOf(changes: Partial<Article>, pages: Config['pages'] = 'full'): Promise<Told[]> {
    await save(store, article('told', changes));
    const response = await openTestSite(store, { ...sampleConfig(), pages }).get('/articles/told');
    return graphOf(await response.text());
  }

  it('of every page has only types and properties of schema.org, with values of the right kind', async () => {
    const expected: [path: string, types: string[]][] = [
      ['/', ['WebSite', 'NewsMediaOrganization']],
      ['/?page=2', []],
      ['/articles/smartphones-march', ['NewsArticle', 'BreadcrumbList']],
      ['/articles/state-cloud', ['AnalysisNewsArticle', 'BreadcrumbList']],
      ['/articles/new-energy', ['NewsArticle', 'BreadcrumbList']],
      ['/articles/zh-stations', ['NewsArticle', 'BreadcrumbList']],
      ['/articles/withdrawn', []],
      ['/sections/world', ['BreadcrumbList']],
      ['/reporters/mei-tan', ['ProfilePage', 'BreadcrumbList']],
      ['/archive/2026-11', ['BreadcrumbList']],
      ['/newsletters', []],
      ['/no-such-page', []],
    ];
    for (const [path, types] of expected) {
      const graph = graphOf(await (await site.get(path)).text());
      expect([path, graph.map((one) => one['@type'])]).toEqual([path, types]);
      expect([path, graph.flatMap((one) => faults(one))]).toEqual([path, []]);
    }
  });

  it('has a whole headline, however long it is', async () => {
    const headline = 'Long '.repeat(60).trim();
    const [told] = await dataOf({ kicker: 'In Depth', headline });
    expect(told?.headline).toBe(`In Depth: ${headline}`);
  });

  it('names reporters as authors with their pages, editors apart, and the publication if nobody signs', async () => {
    const ann = { role: 'reporter' as const, name: 'Ann Lee', email: null };
    const cy = { role: 'editor' as const, name: 'Cy Ma', email: null };
    const [both] = await dataOf({ bylines: [cy, ann] });
    expect(both?.author).toEqual([
      { '@type': 'Person', name: 'Ann Lee', url: 'http://127.0.0.1:8080/reporters/ann-lee' },
    ]);
    expect(both?.editor).toEqual([{ '@type': 'Person', name: 'Cy Ma' }]);
    const [edited] = await dataOf({ bylines: [cy] });
    expect(edited?.author).toEqual([{ '@type': 'Person', name: 'Cy Ma' }]);
    const [unsigned] = await dataOf({ bylines: [] });
    expect(unsigned?.author).toMatchObject({ '@type': 'NewsMediaOrganization', name: 'The Meridian Wire' });
    expect(unsigned).not.toHaveProperty('editor');
  });

  it('says when an article was published, changed and corrected', async () => {
    const [fresh] = await dataOf({ updatedAt: NOW - 2 * HOUR });
    expect([fresh?.datePublished, fresh?.dateModified]).toEqual(['2026-11-24T11:43:00Z', '2026-11-24T11:43:00Z']);
    expect(fresh).not.toHaveProperty('correction');
    const status = { state: 'corrected' as const, note: 'It was five.', at: NOW };
    const [corrected] = await dataOf({ status, updatedAt: NOW });
    expect(corrected?.dateModified).toBe('2026-11-24T12:43:00Z');
    expect(corrected?.correction).toEqual({
      '@type': 'CorrectionComment',
      text: 'It was five.',
      datePublished: '2026-11-24T12:43:00Z',
    });
  });

  it('is absent where the article is at home elsewhere', async () => {
    expect(await dataOf({ url: 'https://times.example/solar' })).toEqual([]);
    expect(await dataOf({ url: 'http://127.0.0.1:8080/articles/told' })).not.toEqual([]);
  });
});
