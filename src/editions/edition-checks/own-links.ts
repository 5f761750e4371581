/**
 * Links to this site. They are looked up in the store as of the edition's slot, not requested: an article under embargo
 * is not public yet, and the site may not be reachable from here.
 */
import { isPublic } from '../../articles/article.ts';
import { hasPage } from '../../articles/article-link.ts';
import { findArticleBySlug } from '../../articles/queries.ts';
import type { AppContext } from '../../core/app-context.ts';
import { legalPages } from '../../core/config/legal-pages.ts';
import { hasDocument } from '../../feeds/documents.ts';
import type { LinkState } from '../links/link-cache.ts';
import { findEdition } from '../queries.ts';

type LinkedSite = Pick<AppContext, 'config' | 'store'>;

const WORKS: LinkState = { kind: 'works' };
const UNKNOWN: LinkState = { kind: 'unchecked', reason: 'daywire serves no such page of this site' };
const PAGES = ['/', '/archive', '/editions', '/newsletters', '/feeds/', '/feeds'];

/** The path of a link below the publication's URL, with its slash; null for a link to another site. */
export function ownPath(url: string, publicUrl: string): string | null {
  const base = new URL(`${publicUrl}/`);
  const { origin, pathname } = new URL(url);
  return origin === base.origin && pathname.startsWith(base.pathname) ? pathname.slice(base.pathname.length - 1) : null;
}

/**
 * Target of a link to this site.
 * @param path as `ownPath` returns it
 * @param at the slot of the edition
 */
export async function ownLinkState({ config, store }: LinkedSite, path: string, at: number): Promise<LinkState> {
  if (PAGES.includes(path) || legalPages(config).some((page) => page.path === path)) return WORKS;
  const [, folder, first, second, ...rest] = path.split('/').map(decoded);
  if (first === undefined || rest.length > 0) return UNKNOWN;
  const found = (isThere: boolean, reason: string): LinkState => (isThere ? WORKS : { kind: 'dead', reason });
  switch (folder) {
    case 'articles':
      return second === undefined ? articleState({ config, store }, first, at) : UNKNOWN;
    case 'sections': {
      const isThere = config.sections.some(({ id }) => id === first);
      return found(isThere, 'there is no such section');
    }
    case 'editions': {
      if (second !== undefined) {
        return found((await findEdition(store.db, first, second)) !== null, 'there is no such edition');
      }
      return found(
        config.newsletters.some(({ id }) => id === first),
        'there is no such newsletter',
      );
    }
    case 'feeds': {
      const name = second === undefined ? first : `${first}/${second}`;
      return found(await hasDocument(store.db, name), 'there is no such feed');
    }
    default:
      return UNKNOWN;
  }
}

async function articleState({ config, store }: LinkedSite, slug: string, at: number): Promise<LinkState> {
  const article = await findArticleBySlug(store.db, slug);
  if (article === null || !hasPage(article, { config, base: '' })) {
    return { kind: 'dead', reason: 'there is no such article' };
  }
  if (article.status.state === 'retracted') return { kind: 'dead', reason: `${article.id} is retracted` };
  return isPublic(article, at) ? WORKS : { kind: 'dead', reason: `${article.id} is not public at the slot` };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
