/** The posts of a stand-in for a CMS. */

export interface StandInPost {
  id: number;
  title: string;
  slug: string;
  html: string;
  excerpt: string | null;
  author: string;
  category: string;
  tags: string[];
  image: { path: string; alt: string } | null;
  /** Epoch milliseconds, whole seconds. */
  publishedAt: number;
  modifiedAt: number;
  state: 'published' | 'trashed' | 'deleted';
  isForMembers: boolean;
}

const HOUR = 3_600_000;
const CATEGORIES = ['Business & Tech', 'World', 'Opinion'];

/** Posts that were published one every two hours, the last one an hour before `now`. */
export function makePosts(count: number, now: number): StandInPost[] {
  return Array.from({ length: count }, (_, index) => {
    const id = index + 1;
    const publishedAt = Math.floor((now - (2 * (count - index) - 1) * HOUR) / 1_000) * 1_000;
    return {
      id,
      title: `Story ${id}: Wind & Sun`,
      slug: `story-${id}`,
      html: `<p>The first words of story ${id}.</p><p>See <a href="/about">about</a>.</p>`,
      excerpt: id % 2 === 0 ? `What story ${id} adds.` : null,
      author: id % 3 === 0 ? 'Bo Example' : 'Ann Example',
      category: CATEGORIES[id % CATEGORIES.length] as string,
      tags: ['energy', `tag-${id % 7}`],
      image: id % 5 === 0 ? { path: `/images/${id}.jpg`, alt: `Picture of story ${id}` } : null,
      publishedAt,
      modifiedAt: publishedAt + 60_000,
      state: 'published',
      isForMembers: id % 50 === 0,
    };
  });
}

export function published(posts: readonly StandInPost[]): StandInPost[] {
  return posts.filter(({ state }) => state === 'published');
}
