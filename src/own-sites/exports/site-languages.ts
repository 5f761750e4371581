/** Which folders of a site are languages. Pure. */

/** Languages whose tags are nothing else in the name of a folder. */
const CLEAR_TAG = /^(?:en|de|fr|es|pt|ru|ja|zh|ko|pl|cs|sv|nl|fi|tr|..[-_].+)$/;
const TAG = /^[a-z]{2}(?:[-_](?:hans|hant|latn|cyrl))?(?:[-_](?:[a-z]{2}|\d{3}))?$/i;
const LANGUAGE_NAMES = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });

/**
 * Finds folders that the site calls languages, and two or more beside each other that are tags of languages, unless all
 * may be other words, such as `it`, `no` and `ml`.
 * @param files their paths in parts
 * @param known names of the site's languages
 * @returns paths of folders, such as `content/cs`
 */
export function findLanguageFolders(files: readonly string[][], known: { has(name: string): boolean }): Set<string> {
  const siblings = new Map<string, Set<string>>();
  for (const parts of files) {
    for (const [at, name] of parts.slice(0, -1).entries()) {
      const isTag = TAG.test(name) && LANGUAGE_NAMES.of(name.replaceAll('_', '-')) !== undefined;
      const parent = parts
        .slice(0, at)
        .map((part) => `${part}/`)
        .join('');
      if (isTag || known.has(name)) siblings.set(parent, (siblings.get(parent) ?? new Set()).add(name));
    }
  }
  const found = [...siblings].filter(([, names]) =>
    [...names].some((name) => known.has(name) || (names.size > 1 && CLEAR_TAG.test(name))),
  );
  return new Set(found.flatMap(([parent, names]) => [...names].map((name) => parent + name)));
}
