/** The factory of source items. */
import type { SourceItem } from '../../src/sources/source-item.ts';

/** Makes an item with a headline, an address and a body, and nothing else unless `change` says otherwise. */
export function sourceItem(change: Partial<SourceItem> = {}): SourceItem {
  return {
    key: '17',
    url: 'https://times.example/2026/solar',
    slug: null,
    headline: 'Solar Roofs Pay',
    dek: null,
    html: '<p>One panel in nine stands over asphalt.</p>',
    baseUrl: null,
    authors: [],
    categories: [],
    tags: [],
    image: null,
    publishedAt: Date.UTC(2026, 10, 24, 10),
    updatedAt: null,
    language: null,
    isForMembers: false,
    ...change,
  };
}
