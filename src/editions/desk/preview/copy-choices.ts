/** The copies that the preview of an edition can show: one for each section, topic and reporter. Pure. */
import { CHOICE_FACETS, type Choice, EVERYTHING } from '../../../articles/choice.ts';
import { reporterFacets } from '../../../articles/facets/facets.ts';
import type { Config, NewsletterConfig } from '../../../core/config/config.ts';
import { facetSlug } from '../../../lib/text/facet-slug.ts';
import type { ArrangedStory } from '../../draft/arranged-draft.ts';

/** The offered sections and topics, and the reporters of the stories. `value`: as `sections:finance`; empty for all. */
export function copyOptions(
  { sections }: Pick<Config, 'sections'>,
  { choices }: Pick<NewsletterConfig, 'choices'>,
  stories: readonly Pick<ArrangedStory, 'article'>[],
): { value: string; label: string }[] {
  const names = new Map(stories.flatMap(({ article }) => reporterFacets(article).map((one) => [one.slug, one.name])));
  return [
    { value: '', label: 'everything' },
    ...(choices?.sections ? sections.map(({ id, title }) => ({ value: `sections:${id}`, label: title })) : []),
    ...(choices?.tags ?? []).map((tag) => ({ value: `tags:${facetSlug(tag)}`, label: `topic ${tag}` })),
    ...(choices?.reporters ? [...names].map(([slug, label]) => ({ value: `reporters:${slug}`, label })) : []),
  ];
}

/** The choice of an option's value; null for the whole edition, and for a value that is not offered. */
export function choiceOf(value: string): Choice | null {
  const [name, chosen] = value.split(':');
  const facet = CHOICE_FACETS.find((one) => one === name);
  return facet === undefined || !chosen ? null : { ...EVERYTHING, [facet]: [chosen] };
}
