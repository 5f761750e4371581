/**
 * A newsroom with ten feeds like the sample's and a newsletter, served at its own port.
 */
import { join } from 'node:path';
import { DaywireProcess } from '../daywire-process.ts';
import { FEEDS, SECTIONS } from './busy-input.ts';

const POSTGRES_SECRET = 'the-secret-of-the-benchmark-of-a-busy-newsroom';

export interface BusyNewsroomOptions {
  folder: string;
  /** The folder of daywire, with its `node_modules/`. */
  checkout: string;
  port: number;
  smtpUrl: string;
  /** Of an empty PostgreSQL database; null for SQLite, in the folder. */
  databaseUrl: string | null;
}

export class BusyNewsroom extends DaywireProcess {
  readonly url: string;
  readonly storeFile: string;
  readonly #port: number;

  constructor({ folder, checkout, port, smtpUrl, databaseUrl }: BusyNewsroomOptions) {
    const database: Record<string, string> =
      databaseUrl === null ? {} : { DAYWIRE_DATABASE_URL: databaseUrl, DAYWIRE_SECRET: POSTGRES_SECRET };
    super({ folder, checkout, environment: { DAYWIRE_SMTP_URL: smtpUrl, ...database } });
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.storeFile = join(folder, 'var/daywire.db');
  }

  /** Writes the configuration. @param cron of the editions, in UTC */
  configure(cron: string): void {
    const feeds = FEEDS.map(({ id, select, ...feed }) => {
      const window = 'windowHours' in feed ? `, windowHours: ${feed.windowHours}` : '';
      return `  - { id: ${id}, title: ${id}, select: { ${select} }${window} }`;
    });
    const yaml = `publication:
  name: The Busy Times
  about: News.
  url: ${this.url}
  tagAuthority: example.com,2026
  language: en
  zone: UTC
  contact: { name: Newsroom, email: newsroom@example.com }
  postalAddress: 1 Sample Road
sections:
${SECTIONS.map((id) => `  - { id: ${id}, title: ${id} }`).join('\n')}
leadKickers: [Exclusive]
import:
  watch: [articles]
feeds:
${feeds.join('\n')}
hub: self
newsletters:
  - id: daily
    title: The Daily
    kicker: The Day
    description: The news of the day in one email.
    from: { name: The Busy Times, email: daily@example.com }
    template: daily-roundup
    schedule: { cron: "${cron}", graceMinutes: 240 }
    minimumStories: 1
    blocks: { news: 8, analysis: 4, roundup: 6, latest: 8 }
delivery: { transport: smtp }
server: { port: ${this.#port}, metrics: 'off' }
`;
    this.write('config/daywire.yaml', yaml);
  }
}
