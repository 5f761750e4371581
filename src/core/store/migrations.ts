/**
 * The migrations by name, in order. Append only: a migration that has run anywhere is never edited.
 */
import type { Kysely } from 'kysely';
import { createInitialSchema } from './migrations/0001-initial.ts';
import type { Dialect } from './store.ts';

export const MIGRATIONS: Record<string, (db: Kysely<unknown>, dialect: Dialect) => Promise<void>> = {
  '0001-initial': createInitialSchema,
};
