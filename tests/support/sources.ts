/** Two sources of a configuration, and the rows of sources and of what outlets reported. */
import type { Insertable, Updateable } from 'kysely';
import type { ArticleSource } from '../../src/core/config/config.ts';
import type { Db } from '../../src/core/store/store.ts';
import type { Tables } from '../../src/core/store/tables.ts';
import { NOW } from './clock.ts';

export const SITE: ArticleSource = {
  ...{ id: 'our-site', url: 'https://site.example', pollMinutes: 5, sections: {}, kinds: {} },
  ...({ use: 'articles', api: 'auto', membersOnly: 'teaser', withdrawn: 'retract' } as const),
};
export const OUTLET = { id: 'post', url: 'https://post.example/feed', use: 'roundup', outlet: 'The Post' } as const;

/** Adds the row of an outlet's feed, due at once unless `row` says otherwise. */
export async function addSource(db: Db, id: string, row: Partial<Insertable<Tables['sources']>> = {}): Promise<void> {
  const usual = {
    url: `https://${id}.example/feed`,
    configured_api: 'feed',
    rules: '',
    due_at: 0,
    use: 'roundup',
  } as const;
  await db
    .insertInto('sources')
    .values({ id, ...usual, ...row })
    .execute();
}

/** Changes the row of a source. @param id omitted: the rows of all */
export async function setSource(db: Db, row: Updateable<Tables['sources']>, id?: string): Promise<void> {
  await db
    .updateTable('sources')
    .set(row)
    .$if(id !== undefined, (query) => query.where('id', '=', id as string))
    .execute();
}

/** Changes the row of an outlet's item. */
export async function setItem(db: Db, id: number, row: Updateable<Tables['outlet_items']>): Promise<void> {
  await db.updateTable('outlet_items').set(row).where('id', '=', id).execute();
}

/** Adds items of the outlet `OUTLET`, first seen so many milliseconds ago. */
export async function addOutletItems(
  db: Db,
  state: Tables['outlet_items']['state'],
  ages: number[],
  row: Partial<Insertable<Tables['outlet_items']>> = {},
): Promise<void> {
  const rows = ages.map((age, n) => ({
    ...{ source: OUTLET.id, outlet: OUTLET.outlet, title: `Report ${n}`, url: `https://post.example/${n}`, state },
    ...{ first_seen_at: NOW - age, seen_at: NOW, ...row },
  }));
  await db.insertInto('outlet_items').values(rows).execute();
}
