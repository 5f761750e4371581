import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import type { Candidate } from '../../../src/articles/import/candidate.ts';
import { articleDigest } from '../../../src/articles/import/digest.ts';
import {
  type CurrentArticle,
  chooseSlug,
  type Revision,
  type RevisionContext,
  revise,
} from '../../../src/articles/import/revise.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { NOW } from '../../support/clock.ts';

const context = { now: NOW, tagAuthority: 'example.com,2026', publicUrl: 'https://news.example' };

function candidate(choices: Partial<Candidate> = {}): Candidate {
  return {
    ...{
      id: 'a',
      slug: null,
      url: null,
      kind: 'brief',
      kicker: null,
      topic: null,
      headline: 'H',
      shortHeadline: null,
      pinned: false,
    },
    ...{
      dek: null,
      body: { format: 'markdown', source: 'x' },
      bodyHtml: '<p>x</p>',
      section: null,
      tags: [],
      bylines: [],
    },
    ...{ fullStory: null, related: [], outlet: null, also: [], eventKey: null, image: null },
    ...{ enclosures: [], language: 'en' },
    ...{ published: NOW - DAY, publishedUntil: null, updated: null, writtenStatus: { state: 'published' } },
    ...choices,
  };
}

/** Revises candidates one hour after another. @returns the revision of the last one */
function history(...steps: (Partial<Candidate> & { at?: number } & Pick<RevisionContext, 'undated'>)[]): {
  revision: Revision;
  stored: CurrentArticle;
  before: CurrentArticle | null;
} {
  let stored: CurrentArticle | null = null;
  let before: CurrentArticle | null = null;
  let revision: Revision | null = null;
  steps.forEach(({ at, undated, ...choices }, index) => {
    before = stored;
    revision = revise(candidate(choices), 'a', stored, { ...context, undated, now: at ?? NOW + index * HOUR });
    if ('article' in revision) stored = { article: revision.article, digest: revision.digest };
  });
  if (revision === null || stored === null) throw new Error('nothing was stored');
  return { revision, stored, before };
}

const warnings = ({ revision }: { revision: Revision }): string[] =>
  'warnings' in revision ? revision.warnings.map(({ key, message }) => `${key} ${message}`) : [];

describe('a first import', () => {
  it('takes the dates as written', () => {
    const { revision } = history({ published: NOW - DAY, updated: NOW - HOUR });
    expect(revision).toMatchObject({
      kind: 'added',
      article: { tagUri: 'tag:example.com,2026:articles/a', publishedAt: NOW - DAY, updatedAt: NOW - HOUR, page: null },
    });
  });

  it('takes the current time on a day that is written without a time, and the beginning of another day', () => {
    const today = { published: NOW - 20 * HOUR, publishedUntil: NOW + 4 * HOUR };
    expect(history(today).stored.article.publishedAt).toBe(NOW);
    const yesterday = { published: NOW - 44 * HOUR, publishedUntil: NOW - 20 * HOUR };
    expect(history(yesterday).stored.article.publishedAt).toBe(NOW - 44 * HOUR);
    const tomorrow = { published: NOW + 4 * HOUR, publishedUntil: NOW + 28 * HOUR };
    expect(history(tomorrow).stored.article.publishedAt).toBe(NOW + 4 * HOUR);
    const again = history(today, today, { ...today, at: NOW + 2 * DAY });
    expect(again.revision).toEqual({ kind: 'unchanged', warnings: [] });
    const draft = { ...today, writtenStatus: { state: 'draft' as const } };
    expect(history(draft, draft).revision.kind).toBe('unchanged');
    expect(history(draft, today).stored.article.publishedAt).toBe(NOW + HOUR);
    expect(warnings(history(today, yesterday))).toEqual([expect.stringMatching(/^published is ignored: /)]);
  });

  it('is not updated before its publication', () => {
    expect(history({ published: NOW, updated: NOW - DAY }).stored.article.updatedAt).toBe(NOW);
    expect(history({ published: NOW - DAY }).stored.article.updatedAt).toBe(NOW - DAY);
  });

  it('is rejected without a date, and says how to give one', () => {
    for (const state of ['published', 'corrected'] as const) {
      const writtenStatus = state === 'corrected' ? { state, note: 'N', noteAt: null } : { state };
      expect(revise(candidate({ published: null, writtenStatus }), 'a', null, context)).toEqual({
        kind: 'rejected',
        problems: [
          { key: 'published', message: expect.stringMatching(/is missing: .*2015-03-26-title\.md.*--undated now/) },
        ],
      });
    }
  });

  it('without a date is published now, or a draft, where the operator says so', () => {
    expect(history({ published: null, undated: 'now' }).stored.article).toMatchObject({
      ...{ publishedAt: NOW, updatedAt: NOW, isDateInvented: true, status: { state: 'published' } },
    });
    const draft = { published: null, undated: 'draft' } as const;
    expect(history(draft).stored.article).toMatchObject({ isDateInvented: true, status: { state: 'draft' } });
    expect(history(draft, draft).revision).toEqual({ kind: 'unchanged', warnings: [] });
    // It is no draft that somebody releases.
    expect(history(draft, { published: null }).revision.kind).toBe('rejected');
    expect(history({ published: NOW - DAY, undated: 'draft' }).stored.article).toMatchObject({
      publishedAt: NOW - DAY,
    });
    expect(history({ published: NOW - DAY, undated: 'now' }).stored.article.isDateInvented).toBeUndefined();
  });

  it('takes the current time if the update is in the future', () => {
    const { stored, ...rest } = history({ published: NOW, updated: NOW + DAY });
    expect(stored.article).toMatchObject({ publishedAt: NOW, updatedAt: NOW });
    expect(warnings(rest)).toEqual(['updated is in the future: the current time is used instead']);
  });

  it('does not publish an embargoed article before the embargo ends', () => {
    const embargo = NOW + DAY;
    const writtenStatus = { state: 'scheduled', embargo } as const;
    expect(history({ published: NOW, writtenStatus }).stored.article).toMatchObject({
      publishedAt: embargo,
      updatedAt: embargo,
      status: { state: 'scheduled', until: embargo },
    });
    expect(history({ published: embargo + HOUR, writtenStatus }).stored.article.publishedAt).toBe(embargo + HOUR);
    expect(history({ published: null, writtenStatus }).stored.article.publishedAt).toBe(embargo);
  });
});

describe('a repeated import', () => {
  it.each<Parameters<typeof history>[0]>([
    {},
    { published: null, undated: 'now' },
    { writtenStatus: { state: 'draft' }, published: null },
    { writtenStatus: { state: 'scheduled', embargo: NOW + MINUTE } },
    { writtenStatus: { state: 'scheduled', embargo: NOW + DAY } },
    { writtenStatus: { state: 'corrected', note: 'N', noteAt: null } },
    { writtenStatus: { state: 'corrected', note: 'N', noteAt: NOW + DAY } },
    { writtenStatus: { state: 'retracted', note: 'N', noteAt: null }, published: null },
    { updated: NOW - MINUTE },
  ])('changes nothing: %j', (choices) => {
    expect(history(choices, choices, choices).revision.kind).toBe('unchanged');
  });

  it('changes nothing if only the update time is later', () => {
    expect(history({}, { updated: NOW }).revision.kind).toBe('unchanged');
  });

  it('refreshes a body that is sanitised differently, without an update', () => {
    const { revision, before } = history({}, { bodyHtml: '<p>x</p>\n' });
    expect(revision).toMatchObject({
      kind: 'refreshed',
      article: { bodyHtml: '<p>x</p>\n', updatedAt: before?.article.updatedAt },
    });
  });
});

describe('an edit', () => {
  it('of any field is an update', () => {
    const link = { url: 'https://e.example/', title: 'T' };
    const edits: Partial<Candidate>[] = [
      { kind: 'feature' },
      { kicker: 'K' },
      { topic: 'T' },
      { headline: 'I' },
      { shortHeadline: 'S' },
      { pinned: true },
      { dek: 'D' },
      { body: { format: 'html', source: 'x' } },
      { body: { format: 'markdown', source: 'y' } },
      { section: 'world' },
      { tags: ['t'] },
      { bylines: [{ role: 'editor', name: 'N', email: null }] },
      { fullStory: link },
      { related: [link] },
      { outlet: { name: 'N', url: link.url, publishedAt: null } },
      { outlet: { name: 'N', url: link.url, publishedAt: NOW } },
      { also: [{ name: 'N', url: null }] },
      { eventKey: 'e' },
      { image: { url: link.url, alt: '', credit: null, type: 'image/png', length: 1, width: null, height: null } },
      { enclosures: [{ url: link.url, type: 'audio/mpeg', length: 1, title: null }] },
      { enclosures: [{ url: link.url, type: 'audio/mpeg', length: 1, title: null, duration: 60 }] },
      { language: 'zh' },
      { writtenStatus: { state: 'corrected', note: 'N', noteAt: null } },
    ];
    for (const edit of edits) expect(history({}, edit).revision.kind, JSON.stringify(edit)).toBe('updated');
  });

  it.each([
    ['scheme and www.', 'http://t.example/a', 'https://www.t.example/a', '<a href="HOST/x">x</a>'],
    ['host', 'https://old.example/a', 'https://new.example/2026/a', '<img src="HOST/a.png"> HOST/b'],
    [
      'tracking parameters',
      'https://t.example/a',
      'https://t.example/a?utm_id=2',
      '<a href="HOST/x?utm_id=RUN&amp;b=1">x</a>',
    ],
  ])('does not move updatedAt where only %s of its addresses changes', (_, first, second, html) => {
    const [one, two] = [first, second].map((url, run) => {
      const source = html.replaceAll('HOST', new URL(url).origin).replace('RUN', String(run));
      return { url, body: { format: 'html' as const, source } };
    });
    const { revision, stored } = history({ ...one }, { ...two });
    expect(revision.kind).toBe('refreshed');
    expect(stored.article).toMatchObject({ ...two, updatedAt: stored.article.publishedAt });
  });

  it.each([
    'https://e.example/?utm_id=1，TEXT',
    '[here](https://e.example/?utm_id=1)TEXT',
    'https://e.example/TEXT',
    'https://TEXT.example/a?utm_id=1',
    'https://e.example/?id=TEXT&utm_id=1',
  ])('moves updatedAt where what is not the address of the page changes: %s', (markdown) => {
    const [one, two] = ['one', 'two'].map((text) => {
      return {
        url: 'https://t.example/a',
        body: { format: 'markdown' as const, source: markdown.replace('TEXT', text) },
      };
    });
    expect(history({ ...one }, { ...two }).revision.kind).toBe('updated');
  });

  it('is not that an editor took over what a rule had let in: nobody reads another word', () => {
    const { revision, stored } = history({ kind: 'roundup-item', isByRule: true }, { kind: 'roundup-item' });
    expect(revision.kind).toBe('refreshed');
    expect(stored.article).toMatchObject({ updatedAt: NOW - DAY });
    expect(stored.article.isByRule).toBeUndefined();
  });

  it('moves the update time to the written one if that is later, else to now', () => {
    const updatedAt = (updated: number | null): number =>
      history({ updated: NOW - HOUR }, { headline: 'I', updated }).stored.article.updatedAt;
    expect(updatedAt(NOW - MINUTE)).toBe(NOW - MINUTE);
    expect(updatedAt(NOW - 2 * HOUR)).toBe(NOW + HOUR);
    expect(updatedAt(NOW - HOUR)).toBe(NOW + HOUR);
    expect(updatedAt(null)).toBe(NOW + HOUR);
    expect(updatedAt(NOW + DAY)).toBe(NOW + HOUR);
  });

  it('does not move the publication time of a public article, and warns', () => {
    const result = history({ published: NOW - DAY }, { published: NOW - 2 * DAY });
    expect(result.revision.kind).toBe('unchanged');
    expect(warnings(result)).toEqual([
      `published is ignored: the article has been public since ${new Date(NOW - DAY).toISOString()}`,
    ]);
    expect(warnings(history({ published: NOW - DAY }, { published: null }))).toEqual([]);
  });

  it('moves an invented date to the first one that is written, also of a public article', () => {
    const undated = { published: null, undated: 'now' } as const;
    const { revision, stored } = history(undated, { published: NOW - 300 * DAY });
    // No reader sees a story as new because its date was corrected.
    expect(revision).toMatchObject({ kind: 'refreshed', warnings: [], article: { updatedAt: NOW - 300 * DAY } });
    expect(stored.article.publishedAt).toBe(NOW - 300 * DAY);
    expect(stored.article.isDateInvented).toBeUndefined();
    // Only the first one.
    const third = history(undated, { published: NOW - 300 * DAY }, { published: NOW - 9 * DAY });
    expect(third.stored.article.publishedAt).toBe(NOW - 300 * DAY);
    expect(warnings(third)).toEqual([expect.stringMatching(/^published is ignored: /)]);
    // On the same day without a time, the time stays.
    const today = { published: NOW - 20 * HOUR, publishedUntil: NOW + 4 * HOUR };
    const same = history(undated, today);
    expect(same.revision.kind).toBe('refreshed');
    expect(same.stored.article).toMatchObject({ publishedAt: NOW });
    expect(same.stored.article.isDateInvented).toBeUndefined();
  });

  it('keeps an invented date while the written one is in the future, or is invented again', () => {
    const undated = { published: null, undated: 'now' } as const;
    const ahead = history(undated, { published: NOW + DAY });
    expect(ahead.stored.article).toMatchObject({ publishedAt: NOW, isDateInvented: true });
    expect(warnings(ahead)).toEqual([expect.stringMatching(/^published is ignored: /)]);
    const again = history({ published: NOW - HOUR, isDateInvented: true }, { published: NOW, isDateInvented: true });
    expect(again.stored.article).toMatchObject({ publishedAt: NOW - HOUR, isDateInvented: true });
    const retracted = { state: 'retracted' as const, note: 'N', noteAt: null };
    const late = history(
      undated,
      { published: null, writtenStatus: retracted },
      { published: NOW + HOUR + MINUTE, writtenStatus: retracted, at: NOW + DAY },
    );
    expect(late.stored.article).toMatchObject({ publishedAt: NOW, status: { state: 'retracted' } });
    // One that is published again has any date that is over.
    const today = { published: NOW, publishedUntil: NOW + 2 * DAY };
    const old = { published: NOW - 300 * DAY, isDateInvented: true } as const;
    const back = history(old, { ...old, writtenStatus: retracted }, { ...today, isDateInvented: undefined });
    expect(back.stored.article).toMatchObject({ publishedAt: NOW + 2 * HOUR, status: { state: 'published' } });
  });

  it('keeps the date of an article that is published later, when its file loses it', () => {
    const later = history({ published: NOW + DAY }, { published: null, headline: 'I' });
    expect(later.stored.article).toMatchObject({ publishedAt: NOW + DAY });
    expect(later.stored.article.isDateInvented).toBeUndefined();
  });

  it('keeps the tag: URI if the authority has changed', () => {
    const { stored } = history({});
    const revision = revise(candidate({ headline: 'I' }), 'b', stored, {
      ...context,
      tagAuthority: 'other.example,2030',
    });
    expect(revision).toMatchObject({
      kind: 'updated',
      article: { tagUri: 'tag:example.com,2026:articles/a', slug: 'b' },
    });
  });

  it('before publication is not an update, and may move the dates', () => {
    const scheduled = (embargo: number) => ({
      writtenStatus: { state: 'scheduled' as const, embargo },
      published: null,
    });
    const { stored } = history(scheduled(NOW + DAY), { ...scheduled(NOW + 2 * DAY), headline: 'I' });
    expect(stored.article).toMatchObject({ publishedAt: NOW + 2 * DAY, updatedAt: NOW + 2 * DAY });
    expect(history(scheduled(NOW + DAY), scheduled(NOW + 2 * HOUR)).stored.article.publishedAt).toBe(NOW + 2 * HOUR);
    // Without the embargo it is public at once.
    expect(history(scheduled(NOW + DAY), { published: null }).stored.article.publishedAt).toBe(NOW + HOUR);
    // A date in the future is an embargo too.
    expect(history({ published: NOW + DAY }, { published: NOW + 2 * DAY }).stored.article.publishedAt).toBe(
      NOW + 2 * DAY,
    );
  });

  it('publishes a draft at the time of the import', () => {
    const draft = { writtenStatus: { state: 'draft' as const }, published: null };
    expect(history(draft, { published: null }).stored.article).toMatchObject({
      publishedAt: NOW + HOUR,
      updatedAt: NOW + HOUR,
      isDateInvented: true,
    });
  });
});

describe('a public article', () => {
  const embargoed = { writtenStatus: { state: 'scheduled' as const, embargo: NOW + DAY } };

  it('cannot become a draft or be embargoed again', () => {
    expect(history({}, { writtenStatus: { state: 'draft' } }).revision).toEqual({
      kind: 'rejected',
      problems: [
        { key: 'state', message: 'the article is public and cannot become a draft again: retract it instead' },
      ],
    });
    expect(history({}, embargoed).revision).toEqual({
      kind: 'rejected',
      problems: [
        { key: 'embargo', message: 'the article is public and cannot be embargoed again: retract it instead' },
      ],
    });
  });

  it('includes one whose embargo has ended', () => {
    const over = { ...embargoed, at: NOW + 2 * DAY };
    expect(history(embargoed, { ...over, writtenStatus: { state: 'draft' } }).revision.kind).toBe('rejected');
    expect(history(embargoed, over).revision.kind).toBe('unchanged');
    expect(
      history(embargoed, { ...over, writtenStatus: { state: 'published' }, published: NOW + DAY }).stored.article
        .publishedAt,
    ).toBe(NOW + DAY);
  });

  it('includes one that has been retracted', () => {
    const retracted = { writtenStatus: { state: 'retracted' as const, note: 'N', noteAt: null } };
    expect(history({}, retracted, { writtenStatus: { state: 'draft' } }).revision.kind).toBe('rejected');
    // Retracted before its embargo ended: it has never been public.
    const never = history(embargoed, retracted);
    expect(never.stored.article.publishedAt).toBe(NOW + DAY);
    expect(history(embargoed, retracted, { writtenStatus: { state: 'draft' } }).revision.kind).toBe('updated');
  });

  it('cannot have the id of a closed edition', () => {
    const { stored } = history({});
    const roundup: Article = { ...stored.article, kind: 'roundup', page: '/editions/daily/2026-11-24' };
    expect(revise(candidate(), 'a', { article: roundup, digest: 'x' }, context)).toEqual({
      kind: 'rejected',
      problems: [
        { key: 'id', message: 'the closed edition at /editions/daily/2026-11-24 has this id: choose another' },
      ],
    });
  });
});

describe('a note', () => {
  const corrected = (note: string, noteAt: number | null = null) => ({
    writtenStatus: { state: 'corrected' as const, note, noteAt },
  });

  it('keeps the time of its first import until its text changes', () => {
    const at = (...steps: Parameters<typeof history>) => history(...steps).stored.article.status;
    expect(at({}, corrected('N'))).toMatchObject({ at: NOW + HOUR });
    expect(at({}, corrected('N'), { ...corrected('N'), headline: 'I' })).toMatchObject({ at: NOW + HOUR });
    expect(at({}, corrected('N'), corrected('M'))).toMatchObject({ note: 'M', at: NOW + 2 * HOUR });
    expect(at({}, corrected('N', NOW - HOUR))).toMatchObject({ at: NOW - HOUR });
    expect(at({}, corrected('N', NOW + DAY))).toMatchObject({ at: NOW + HOUR });
  });

  it('of a retraction has its own time', () => {
    const { stored } = history({}, corrected('N'), { writtenStatus: { state: 'retracted', note: 'N', noteAt: null } });
    expect(stored.article.status).toEqual({ state: 'retracted', note: 'N', at: NOW + 2 * HOUR });
  });
});

describe('a retraction', () => {
  it('cannot be dated before the article became public', () => {
    const retracted = { writtenStatus: { state: 'retracted' as const, note: 'N', noteAt: NOW - 2 * DAY } };
    const { stored, revision } = history({}, retracted);
    expect(stored.article.status).toEqual({ state: 'retracted', note: 'N', at: NOW + HOUR });
    expect(warnings({ revision })).toEqual([
      'noteAt is before the article became public at 2026-11-23T12:00:00.000Z: ' +
        'the time of the first import is used instead',
    ]);
    expect(history({}, retracted, { writtenStatus: { state: 'draft' } }).revision.kind).toBe('rejected');
    expect(history({}, retracted, retracted).revision.kind).toBe('unchanged');
  });

  it('without a body keeps the old body', () => {
    const retracted = {
      writtenStatus: { state: 'retracted' as const, note: 'N', noteAt: null },
      body: { format: 'markdown' as const, source: '' },
      bodyHtml: '',
    };
    const { stored } = history({}, retracted);
    expect(stored.article).toMatchObject({ body: { source: 'x' }, bodyHtml: '<p>x</p>' });
    expect(history({}, retracted, retracted).revision.kind).toBe('unchanged');
  });
});

describe('articleDigest', () => {
  it('does not depend on the publication’s URL', () => {
    const at = (publicUrl: string): string => {
      const image = {
        url: `${publicUrl}/media/a.png`,
        alt: '',
        credit: null,
        type: 'image/png',
        length: 1,
        width: 1,
        height: 1,
      };
      const { stored } = history({ image, related: [{ url: `${publicUrl}/x`, title: 'X' }] });
      return articleDigest(stored.article, publicUrl);
    };
    expect(at('https://news.example')).toBe(at('https://moved.example/news'));
  });
});

describe('chooseSlug', () => {
  const owners = new Map([
    ['taken', 'b'],
    ['mine', 'a'],
  ]);
  const choose = (slug: string | null, stored: string | null, suggestions: string[]) =>
    chooseSlug({ id: 'a', slug }, stored, suggestions, (wanted) => owners.get(wanted));

  it('takes the written slug, else the current one, else the first free suggestion', () => {
    expect(choose('written', 'mine', ['s'])).toBe('written');
    expect(choose(null, 'mine', ['s'])).toBe('mine');
    expect(choose(null, null, ['taken', 'taken-a'])).toBe('taken-a');
    expect(choose('mine', null, [])).toBe('mine');
  });

  it('takes no slug of another article', () => {
    expect(choose('taken', 'mine', [])).toBe('mine');
    expect(choose('taken', null, ['taken', 'free'])).toBe('free');
    expect(choose(null, null, ['taken', 'taken'])).toBeNull();
  });
});
