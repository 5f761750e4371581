/** What people chose of newsletters, in the columns of a CSV import. Pure. */
import { choiceText, readChoice } from '../../articles/choice.ts';
import { slugsOf } from '../../articles/facets/facets.ts';
import type { Config, NewsletterConfig } from '../../core/config/config.ts';
import { boundedLine } from '../../lib/text/clean-text.ts';
import { facetSlug } from '../../lib/text/facet-slug.ts';
import type { Subscriber } from '../subscriptions.ts';
import { wordOf } from './statuses.ts';

/** What newsletters offer, and what the operator says. */
export interface ChoiceRules extends Pick<Config, 'sections' | 'newsletters'> {
  /** What values choose, such as `Markets=section:finance`. `Markets=` chooses nothing. */
  values: readonly string[];
}

export interface ChoiceColumn {
  position: number;
  /** Keys that lead to the values in a column of JSON; empty for values with commas between them. */
  path: readonly string[];
}

/** `section:finance` or, of one newsletter, `daily/tag:chips`. */
const TARGET = /^(?:([a-z0-9-]+)\/)?(section|tag|reporter|at-least):(.+)$/;
type Target = readonly [kind: string, value: string];
/** Different values that a report lists. */
const MAX_LISTED = 20;

/**
 * Prepares the choices of a file.
 * @param needed ids of newsletters, one of which must have choices; empty if the operator named no column
 * @returns `read` gives the canonical choices of a row; `unused` counts the values that choose nothing
 * @throws Error if no newsletter has choices, or the operator maps a value to what none offers
 */
export function openChoices(columns: readonly ChoiceColumn[], rules: ChoiceRules, needed: readonly string[]) {
  const offers = new Map(rules.newsletters.map((one) => [one.id, offerOf(one, rules)]));
  const find = (newsletter: string, text: string): Target[] => offers.get(newsletter)?.(text) ?? [];
  if (needed.length > 0 && !rules.newsletters.some(({ id, choices }) => needed.includes(id) && choices !== undefined)) {
    throw new Error(`${needed.join(', ')}: nothing can be chosen: the configuration has no "choices" there`);
  }
  if (rules.values.length > 0 && columns.length === 0) throw new Error('no column has choices: name it');
  const mapped = new Map<string, string[]>();
  for (const pair of rules.values) {
    const at = pair.lastIndexOf('=');
    const [key, meaning] = [wordOf(pair.slice(0, at)), pair.slice(at + 1).trim()];
    if (at < 1 || (meaning !== '' && !rules.newsletters.some(({ id }) => find(id, meaning).length > 0))) {
      const forms = 'value=section:ID, value=tag:TAG or value=reporter:NAME, which a newsletter offers';
      throw new Error(`the choice "${pair}": it must be ${forms}, or value= to ignore the value`);
    }
    mapped.set(key, [...(mapped.get(key) ?? []), ...(meaning === '' ? [] : [meaning])]);
  }
  const unused = new Map<string, number>();
  const read = (fields: readonly string[], newsletters: readonly string[]): Map<string, string | null> => {
    const values = columns.flatMap(({ position, path }) => valuesOf(fields[position] ?? '', path));
    const chosen = values.flatMap((value) => {
      const meanings = mapped.get(wordOf(value)) ?? [value];
      const found = newsletters.flatMap((newsletter) =>
        meanings.flatMap((meaning) => find(newsletter, meaning)).map((target) => ({ newsletter, target })),
      );
      if (found.length > 0 || meanings.length === 0 || newsletters.length === 0) return found;
      const shown = boundedLine(value.slice(0, 200), 40);
      const key = unused.has(shown) || unused.size < MAX_LISTED ? shown : 'others';
      unused.set(key, (unused.get(key) ?? 0) + 1);
      return [];
    });
    const choices = [...Map.groupBy(chosen, ({ newsletter }) => newsletter)].map(([newsletter, all]) => {
      const of = (kind: string) => all.flatMap(({ target }) => (target[0] === kind ? target[1] : []));
      const facets = { sections: of('section'), tags: of('tag'), reporters: of('reporter') };
      return [newsletter, choiceText({ ...facets, atLeast: Number(of('at-least')[0] ?? 1) })] as const;
    });
    return new Map(choices);
  };
  return { read, unused };
}

/** The choice of a confirmed subscription as values of a column, which `openChoices` reads. */
export function choiceValues({ newsletter, state, choice }: Subscriber['subscriptions'][number]): string[] {
  const { sections, tags, reporters, atLeast } = readChoice(state === 'confirmed' ? choice : null);
  const named = { section: sections, tag: tags, reporter: reporters, 'at-least': atLeast > 1 ? [atLeast] : [] };
  return Object.entries(named).flatMap(([kind, ids]) => ids.map((id) => `${newsletter}/${kind}:${id}`));
}

/** @returns a function that finds what a text chooses of a newsletter: the name of a section or topic, or a target */
function offerOf(
  { id: newsletter, choices, select }: NewsletterConfig,
  rules: ChoiceRules,
): (text: string) => Target[] {
  if (choices === undefined) return () => [];
  const sections = choices.sections ? rules.sections.filter(({ id }) => select.sections?.includes(id) ?? true) : [];
  const named: { target: Target; names: (string | null)[] }[] = [
    ...sections.map(({ id, title }) => ({ target: ['section', id] as const, names: [id, title].map(facetSlug) })),
    ...slugsOf(choices.tags).map((slug) => ({ target: ['tag', slug] as const, names: [slug] })),
  ];
  return (text) => {
    const [, only = newsletter, kind, name = text] = TARGET.exec(text) ?? [];
    const slug = facetSlug(name);
    if (only !== newsletter || slug === null) return [];
    if (kind === 'at-least' || (kind === 'reporter' && choices.reporters)) return [[kind, slug]];
    const found = named.filter(({ target, names }) => (kind ?? target[0]) === target[0] && names.includes(slug));
    return found.map(({ target }) => target);
  };
}

/** Values with commas between them, or a text or a list in JSON. What is no JSON is a value, so that it is reported. */
function valuesOf(field: string, path: readonly string[]): string[] {
  try {
    const json: unknown = path.length === 0 ? null : JSON.parse(field.trim() || '{}');
    const found: unknown = path.reduce((at, key) => Object(at)[key], json);
    const listed =
      path.length > 0 ? [found ?? []].flat() : field.split(/(?<!\\),/).map((one) => one.replace(/\\,/g, ','));
    const texts = listed.map((value) => (typeof value === 'string' ? value.trim() : JSON.stringify(value)));
    return texts.filter((text) => text !== '');
  } catch {
    return [field];
  }
}
