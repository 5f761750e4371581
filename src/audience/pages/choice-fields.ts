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

/** By newsletter. Entered ones may have a number of stories that is not possible. */
export type Choices = ReadonlyMap<string, Choice>;

/** The fields as `pages/parts/choose.liquid` shows them. */
export interface ChoiceView {
  groups: { facet: keyof ChoiceFacets; options: (Option & { checked: boolean })[] }[];
  /** Whether they are unfolded. */
  isOpen: boolean;
  atLeast: number;
  most: number;
  /** What is wrong with that number, in HTML. */
  error: string | null;
}

type Option = Record<'value' | 'name', string>;

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

/** The choices of subscriptions. */
export function ownChoices(subscriptions: readonly { newsletter: string; choice: string | null }[]): Choices {
  return new Map(subscriptions.map(({ newsletter, choice }) => [newsletter, readChoice(choice)]));
}

/** Reads the fields of newsletters for which there are any. Ignores values that are neither offered nor stored. */
export async function readChoiceFields(web: WebContext, posted: URLSearchParams, stored: Choices): Promise<Choices> {
  const entered = new Map<string, Choice>();
  for (const [id, offer] of await offersOf(web)) {
    if (![...CHOICE_FACETS, 'atLeast'].some((name) => posted.has(`${name}:${id}`))) continue;
    const known = stored.get(id) ?? EVERYTHING;
    const valuesOf = (facet: keyof ChoiceFacets): string[] => {
      const values = new Set([...known[facet], ...offer[facet].map(({ value }) => value)]);
      return posted.getAll(`${facet}:${id}`).filter((value) => values.delete(value));
    };
    const atLeast = posted.get(`atLeast:${id}`)?.trim() || '1';
    entered.set(id, {
      ...{ sections: valuesOf('sections'), tags: valuesOf('tags'), reporters: valuesOf('reporters') },
      atLeast: /^\d{1,4}$/.test(atLeast) ? Number(atLeast) : 0,
    });
  }
  return entered;
}

/** What is wrong with the number of stories; null for nothing. @param as how it is written */
export function atLeastError({ locale }: WebContext, { atLeast }: Choice, as: 'html' | 'text' = 'html'): string | null {
  const isFit = atLeast >= 1 && atLeast <= MAX_AT_LEAST;
  return isFit ? null : locale[as]('form.choice.atLeastUnknown', { most: MAX_AT_LEAST });
}

/** Canonical, to be stored. */
export function choiceTexts(choices: Choices): Record<string, string | null> {
  return Object.fromEntries([...choices].map(([newsletter, choice]) => [newsletter, choiceText(choice)]));
}

/**
 * The fields of each newsletter with `choices`. What is chosen and no longer offered is shown, too.
 * @param open newsletters whose fields are unfolded; by default, those of which something is chosen
 */
export async function choiceViews(web: WebContext, choices: Choices, open?: readonly string[]) {
  const views = new Map<string, ChoiceView>();
  for (const [id, offer] of await offersOf(web)) {
    const choice = choices.get(id) ?? EVERYTHING;
    const groups = CHOICE_FACETS.map(async (facet) => {
      const former = choice[facet].filter((value) => !offer[facet].some((one) => one.value === value));
      const named = former.map(async (value) => ({ value, name: await formerName(web, facet, value) }));
      const options = [...offer[facet], ...(await Promise.all(named))];
      return { facet, options: options.map((one) => ({ ...one, checked: choice[facet].includes(one.value) })) };
    });
    views.set(id, {
      groups: (await Promise.all(groups)).filter(({ options }) => options.length > 0),
      isOpen: open?.includes(id) ?? !isEverything(choice),
      ...{ atLeast: choice.atLeast, most: MAX_AT_LEAST, error: atLeastError(web, choice) },
    });
  }
  return views;
}

async function formerName({ store, config, clock }: WebContext, facet: keyof ChoiceFacets, value: string) {
  if (facet === 'sections') return sectionTitle(config, value) ?? value;
  const names = await findFacetNames(store.db, facet === 'tags' ? 'tag' : 'reporter', value, clock());
  return names[0] ?? value;
}
