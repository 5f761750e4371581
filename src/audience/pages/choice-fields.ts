/** What can be chosen of a newsletter, as fields of forms: `sections:daily`, `tags:daily`, `atLeast:daily`. */
import { LRUCache } from 'lru-cache';
import {
  CHOICE_FACETS,
  type Choice,
  type ChoiceFacets,
  choiceText,
  EVERYTHING,
  isEverything,
  MAX_AT_LEAST,
  readChoice,
} from '../../articles/choice.ts';
import { findFacetNames } from '../../articles/facets/facets.ts';
import { listUsedFacets } from '../../articles/facets/used-facets.ts';
import { sectionTitle } from '../../core/config/config.ts';
import { oncePer } from '../../lib/once-per.ts';
import { facetSlug } from '../../lib/text/facet-slug.ts';
import { MINUTE } from '../../lib/time.ts';
import type { WebContext } from '../../web/server/web-context.ts';

/** What was entered for a newsletter. */
export interface EnteredChoice {
  choice: Choice;
  /** The field for the least number of stories, as entered. */
  atLeast: string;
  /** What is wrong with that field. */
  error: string | null;
}

/** By newsletter. */
export type EnteredChoices = ReadonlyMap<string, EnteredChoice>;

/** The fields as `pages/parts/choose.liquid` shows them. */
export interface ChoiceView extends Pick<EnteredChoice, 'atLeast' | 'error'> {
  groups: { facet: keyof ChoiceFacets; options: (Option & { checked: boolean })[] }[];
  isChosen: boolean;
  most: number;
}

interface Option {
  value: string;
  name: string;
}

type Offer = Record<keyof ChoiceFacets, readonly Option[]>;

/** Reads 2,500 articles. Shorter than anybody takes to notice that a new reporter is missing. */
const reportersOf = oncePer<WebContext, LRUCache<'recent', Option[]>>(
  ({ store, clock, locale }) =>
    new LRUCache({
      max: 1,
      ttl: 5 * MINUTE,
      fetchMethod: async () => {
        const { reporter } = await listUsedFacets(store.reports, clock());
        const options = reporter.map(({ slug, names }) => ({ value: slug, name: names[0] ?? slug }));
        return options.sort((a, b) => a.name.localeCompare(b.name, locale.language));
      },
    }),
);

/** What newsletters with `choices` offer. */
async function offersOf(web: WebContext): Promise<Map<string, Offer>> {
  const { config } = web;
  const offers = new Map<string, Offer>();
  for (const { id, choices, select } of config.newsletters) {
    if (choices === undefined) continue;
    const sections = config.sections.filter((one) => select.sections?.includes(one.id) ?? true);
    const tags = Map.groupBy(choices.tags, (name) => facetSlug(name) ?? name);
    offers.set(id, {
      sections: choices.sections ? sections.map((one) => ({ value: one.id, name: one.title })) : [],
      tags: [...tags].map(([value, [name = value]]) => ({ value, name })),
      reporters: choices.reporters ? ((await reportersOf(web).fetch('recent')) ?? []) : [],
    });
  }
  return offers;
}

/** The stored choices, as the fields show them. */
export function storedChoices(subscriptions: readonly { newsletter: string; choice: string | null }[]): EnteredChoices {
  return new Map(
    subscriptions.map(({ newsletter, choice: text }) => {
      const choice = readChoice(text);
      return [newsletter, { choice, atLeast: String(choice.atLeast), error: null }];
    }),
  );
}

/**
 * Reads the fields of newsletters for which there are any. Ignores values that are neither offered nor stored.
 * @param errorsAs how errors are written
 */
export async function readChoiceFields(
  web: WebContext,
  posted: URLSearchParams,
  stored: EnteredChoices,
  errorsAs: 'html' | 'text',
): Promise<EnteredChoices> {
  const entered = new Map<string, EnteredChoice>();
  for (const [id, offer] of await offersOf(web)) {
    if (![...CHOICE_FACETS, 'atLeast'].some((name) => posted.has(`${name}:${id}`))) continue;
    const known = stored.get(id)?.choice ?? EVERYTHING;
    const valuesOf = (facet: keyof ChoiceFacets): string[] => {
      const values = new Set([...known[facet], ...offer[facet].map(({ value }) => value)]);
      return posted.getAll(`${facet}:${id}`).filter((value) => values.delete(value));
    };
    const atLeast = (posted.get(`atLeast:${id}`) ?? '').trim().slice(0, 10);
    const number = /^\d{0,4}$/.test(atLeast) ? Number(atLeast || '1') : 0;
    const isFit = number >= 1 && number <= MAX_AT_LEAST;
    entered.set(id, {
      choice: {
        ...{ sections: valuesOf('sections'), tags: valuesOf('tags'), reporters: valuesOf('reporters') },
        atLeast: isFit ? number : 1,
      },
      atLeast,
      error: isFit ? null : web.locale[errorsAs]('form.choice.atLeastUnknown', { most: MAX_AT_LEAST }),
    });
  }
  return entered;
}

/** Canonical choices by newsletter, to be stored. */
export function choiceTexts(entered: EnteredChoices): Record<string, string | null> {
  return Object.fromEntries([...entered].map(([newsletter, { choice }]) => [newsletter, choiceText(choice)]));
}

/** The fields of each newsletter with `choices`. What is chosen and no longer offered is shown, too. */
export async function choiceViews(web: WebContext, entered: EnteredChoices): Promise<Map<string, ChoiceView>> {
  const views = new Map<string, ChoiceView>();
  for (const [id, offer] of await offersOf(web)) {
    const { choice, atLeast, error } = entered.get(id) ?? { choice: EVERYTHING, atLeast: '1', error: null };
    const groups: ChoiceView['groups'] = [];
    for (const facet of CHOICE_FACETS) {
      const offered = new Set(offer[facet].map(({ value }) => value));
      const missing = choice[facet].filter((value) => !offered.has(value));
      const former = missing.map(async (value) => ({ value, name: await formerName(web, facet, value) }));
      const options = [...offer[facet], ...(await Promise.all(former))];
      const checked = options.map((one) => ({ ...one, checked: choice[facet].includes(one.value) }));
      if (checked.length > 0) groups.push({ facet, options: checked });
    }
    views.set(id, { groups, atLeast, error, isChosen: !isEverything(choice), most: MAX_AT_LEAST });
  }
  return views;
}

async function formerName({ store, config, clock }: WebContext, facet: keyof ChoiceFacets, value: string) {
  if (facet === 'sections') return sectionTitle(config, value) ?? value;
  const names = await findFacetNames(store.db, facet === 'tags' ? 'tag' : 'reporter', value, clock());
  return names[0] ?? value;
}
