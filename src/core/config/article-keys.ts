/** The keys of an article's front matter or JSON line. Their rules are in `articles/import/fields.ts`. */
export const ARTICLE_KEYS = [
  ...['id', 'slug', 'url', 'kind', 'kicker', 'topic', 'headline', 'shortHeadline', 'pinned', 'dek', 'published'],
  'dateInvented',
  ...['updated', 'section', 'tags', 'bylines', 'fullStory', 'related', 'outlet', 'also', 'byRule', 'eventKey', 'image'],
  ...['enclosures', 'language', 'state', 'embargo', 'note', 'noteAt', 'format'],
] as const;

/** In `import.keys`: the key is left out without a warning. */
export const IGNORED_KEY = 'ignore';
