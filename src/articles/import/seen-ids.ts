/**
 * Which ids one import has met, and where: two articles of one id would overwrite each other every time.
 */
import { DatabaseSync } from 'node:sqlite';

export interface SeenIds {
  /** The place where the id stood before, or null: then it is noted. */
  see(id: string, place: string): string | null;
  close(): void;
}

/** Kept in a temporary database, which SQLite moves to disk as it grows: ten million ids take no more memory than ten. */
export function openSeenIds(): SeenIds {
  const database = new DatabaseSync('');
  database.exec(`pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive;
    create table seen (id text primary key, place text not null) without rowid; begin`);
  const insert = database.prepare('insert or ignore into seen (id, place) values (?, ?)');
  const find = database.prepare('select place from seen where id = ?');
  return {
    see(id, place) {
      if (insert.run(id, place).changes === 1) return null;
      return String(find.get(id)?.place);
    },
    close: () => database.close(),
  };
}
