/** What people chose of newsletters, in the columns of a CSV import. Pure. */
import { choiceText, readChoice } from '../../articles/choice.ts';
import { slugsOf } from '../../articles/facets/facets.ts';
import type { Config } from '../../core/config/config.ts';
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
/** Different values that a report lists. */
const MAX_LISTED = 20;

/**
 * Prepares the choices of a file. A target is a text such as `section:finance`.
 * @param needed ids of newsletters, one of which must have choices; empty if the operator named no column
 * @returns `read` gives the canonical choices of a row; `unused` counts the values that choose nothing
 * @throws Error if no newsletter has choices, or the operator maps a value to what none offers
 */
export function openChoices(columns: readonly ChoiceColumn[], rules: ChoiceRules, needed: readonly string[]) {
  const offers = offersOf(rules);
  const find = (newsletter: string, text: string): string[] => {
    const [, only = newsletter, kind, name = text] = TARGET.exec(text) ?? [];
    const slug = facetSlug(name);
    if (only !== newsletter || slug === null) return [];
    const id = kind === undefined ? slug : `${kind}:${slug}`;
    return offers.get(`${newsletter} ${id}`) ?? (offers.has(`${newsletter} ${kind}:`) ? [id] : []);
  };
  if (needed.length > 0 && !needed.some((id) => offers.has(`${id} at-least:`))) {
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
    const byNewsletter = Map.groupBy(chosen, ({ newsletter }) => newsletter);
    return new Map([...byNewsletter].map(([newsletter, all]) => [newsletter, choiceOf(all.map((one) => one.target))]));
  };
  return { read, unused };
}

/** The choice of a confirmed subscription as values of a column, which `openChoices` reads. */
export function choiceValues({ newsletter, state, choice }: Subscriber['subscriptions'][number]): string[] {
  const { sections, tags, reporters, atLeast } = readChoice(state === 'confirmed' ? choice : null);
  const named = { section: sections, tag: tags, reporter: reporters, 'at-least': atLeast > 1 ? [atLeast] : [] };
  return Object.entries(named).flatMap(([kind, ids]) => ids.map((id) => `${newsletter}/${kind}:${id}`));
}

function choiceOf(targets: readonly string[]): string | null {
  const of = (kind: string) => targets.filter((one) => one.startsWith(kind)).map((one) => one.slice(kind.length));
  const atLeast = Number(of('at-least:')[0] ?? 1);
  return choiceText({ sections: of('section:'), tags: of('tag:'), reporters: of('reporter:'), atLeast });
}

/** The targets by newsletter and name, such as the title of a section. `reporter:` is any reporter. */
function offersOf({ sections, newsletters }: ChoiceRules): Map<string, string[]> {
  const offers = new Map<string, string[]>();
  for (const { id: newsletter, choices, select } of newsletters) {
    if (choices === undefined) continue;
    const offer = (target: string, names: (string | null)[]): void => {
      for (const name of names.map((one) => `${newsletter} ${one}`)) {
        offers.set(name, [...(offers.get(name) ?? []), target]);
      }
    };
    for (const { id, title } of choices.sections ? sections : []) {
      if (select.sections?.includes(id) === false) continue;
      offer(`section:${id}`, [`section:${facetSlug(id)}`, facetSlug(id), facetSlug(title)]);
    }
    for (const slug of slugsOf(choices.tags)) offer(`tag:${slug}`, [`tag:${slug}`, slug]);
    for (const any of choices.reporters ? ['reporter:', 'at-least:'] : ['at-least:']) offer(any, [any]);
  }
  return offers;
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
