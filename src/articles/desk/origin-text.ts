/** What brings an article, and what that means for an edit at the desk. */
import { DESK_ORIGIN, isFileOrigin, originName, ROUNDUP_ORIGIN } from '../import/origin.ts';

export function originText(id: string, origin: string | null): string {
  if (origin === DESK_ORIGIN) return 'It was written at the desk.';
  if (origin === ROUNDUP_ORIGIN) return 'It was picked for the roundup.';
  if (origin === null) return `Nothing brings the article ${id} again.`;
  return isFileOrigin(origin) ? `The file ${origin} brings this article.` : `It comes from ${originName(origin)}.`;
}

/** Beside the form of an edit; null for an article that nothing brings again. */
export function importWarning(origin: string | null): string | null {
  if (origin === null || origin === DESK_ORIGIN || origin === ROUNDUP_ORIGIN) return null;
  const who = isFileOrigin(origin) ? `The file ${origin}` : originName(origin).replace(/^t/, 'T');
  return (
    `${who} brings this article. What you change here stays until the same field changes there: then that wins, ` +
    'the import says so, and your text is kept below "Changes at the desk".'
  );
}
