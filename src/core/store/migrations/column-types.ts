/** Column types that the two databases name differently, as SQL text. */
export interface ColumnTypes {
  /** Compared by bytes on both databases, for any locale of the server. */
  text: string;
  /** 64 bits. */
  int: string;
  bytes: string;
  /** A primary key that the database numbers. A number is never given twice. */
  identity: string;
  /** Ends a table whose rows SQLite stores in the index of their primary key. */
  inKey: string;
}

export function columnTypes(dialect: 'sqlite' | 'postgres'): ColumnTypes {
  return dialect === 'sqlite'
    ? {
        text: 'text',
        int: 'integer',
        bytes: 'blob',
        identity: 'integer not null primary key autoincrement',
        inKey: ' without rowid',
      }
    : {
        text: 'text collate "C"',
        int: 'bigint',
        bytes: 'bytea',
        identity: 'bigint not null generated always as identity primary key',
        inKey: '',
      };
}
