/** A random life of a feed: its stories, and what happens to them. Everything that is true of it is known here. */
import { HOUR, MINUTE } from '../../src/lib/time.ts';
import type { Random } from '../fuzz/random.ts';

export const FACTORS = [
  ...['guid', 'link', 'host', 'tracking', 'headline', 'body', 'shift', 'two sources', 'format', '304 for ever'],
  ...['tombstone', 'archive pages', 'vanishes', 'scrolls off', 'reappears'],
] as const;
export type Factor = (typeof FACTORS)[number];

export interface Story {
  /** A word of its body that no other story has. */
  marker: string;
  guid: string;
  path: string;
  title: string;
  words: string[];
  at: number;
  state: 'there' | 'away' | 'deleted';
  /** Times that title or body were edited. */
  edits: number;
  /** Names that are new since it was last in a document that was read, and what else is. */
  changed: Set<Factor>;
}

/** Factors that change all stories of a site at once, or one of them. */
const CHANCE = 0.36;

export class Life {
  readonly factors: ReadonlySet<Factor>;
  readonly stories: Story[] = [];
  readonly length: number;
  host: string;
  isHttps = false;
  shift = 0;
  format: 'rss' | 'atom' | 'json' = 'rss';
  tracking = 0;
  /** Number of documents that were written: each has other tracking parameters in its links. */
  written = 0;
  readonly #random: Random;
  readonly #number: number;
  #step = 0;

  constructor(number: number, random: Random, now: number) {
    this.#random = random;
    this.#number = number;
    this.factors = new Set(FACTORS.filter(() => random.chance(CHANCE)));
    this.host = `life${number}.example`;
    this.length = random.int(8, 14);
    const first = this.length + (this.has('archive pages') ? random.int(3, 20) : 0);
    for (let n = 0; n < first; n++) this.publish(now - (first - n) * random.int(100, 200) * MINUTE - 26 * HOUR);
    if (this.has('tombstone')) this.format = 'atom';
  }

  has(factor: Factor): boolean {
    return this.factors.has(factor);
  }

  publish(at: number): void {
    const number = this.stories.length;
    const random = this.#random;
    const marker = `m${this.#number}x${number}x`;
    const isBulletin = random.chance(0.1);
    this.stories.unshift({
      marker,
      guid: random.chance(0.5) ? `https://${this.host}/?p=${number}` : `post-${this.#number}-${number}`,
      path: `/news/${number}-${this.#word()}-${this.#word()}`,
      title: isBulletin ? 'Morning briefing' : `${this.#word()} ${this.#word()} ${this.#word()} ${number}`,
      words: [marker, ...Array.from({ length: random.int(60, 90) }, () => this.#word())],
      at: Math.floor(at / 1_000) * 1_000,
      ...{ state: 'there', edits: 0, changed: new Set() },
    });
    // The newest first, as sites write their feeds.
    this.stories.sort((one, other) => other.at - one.at);
  }

  /** The stories of the document, the newest first. */
  get shown(): Story[] {
    return this.stories.filter(({ state }) => state === 'there').slice(0, this.length);
  }

  /** What happens before the next poll: one thing, and perhaps news. */
  step(now: number): void {
    this.#step += 1;
    const random = this.#random;
    const happening = random.pick([...this.factors, 'nothing' as const]);
    const some = this.shown.slice(1).filter(() => random.chance(0.25));
    const one = this.shown.length > 4 ? random.pick(this.shown.slice(1, -1)) : undefined;
    const all = random.chance(0.5) ? this.shown : some;
    const change = (stories: readonly Story[], factor: Factor, act: (story: Story) => void) => {
      for (const story of stories) {
        act(story);
        story.changed.add(factor);
      }
    };
    switch (happening) {
      case 'guid':
        change(all, 'guid', (story) => {
          story.guid = `tag:${this.host},2026:${this.#step}-${story.marker}`;
        });
        break;
      case 'link':
        change(all, 'link', (story) => {
          story.path = `/${this.#step}/${this.#word()}-${story.marker}`;
        });
        // A guid is often the address.
        if (random.chance(0.5))
          change(all, 'guid', (story) => {
            story.guid = `https://${this.host}${story.path}`;
          });
        break;
      case 'host':
        if (random.chance(0.3)) this.isHttps = !this.isHttps;
        else this.host = `${random.pick(['www.', 'new.', '', 'moved-'])}life${this.#number}.example`;
        break;
      case 'tracking':
        this.tracking += 1;
        break;
      case 'headline':
        change(some, 'headline', (story) => {
          story.title = `${this.#word()} ${story.title}`;
          story.edits += 1;
        });
        break;
      case 'body':
        change(some, 'body', (story) => {
          story.words[random.int(1, story.words.length - 1)] = this.#word();
          story.edits += 1;
        });
        break;
      case 'shift':
        this.shift = random.pick([0, -1, 1]) * random.int(1, 14) * HOUR;
        break;
      case 'format':
        if (!this.has('tombstone')) this.format = random.pick(['rss', 'atom', 'json']);
        break;
      case 'tombstone':
        if (one !== undefined) one.state = 'deleted';
        break;
      case 'vanishes':
        if (one !== undefined) one.state = 'away';
        break;
      case 'scrolls off':
        for (let n = random.int(2, 6); n > 0; n--) this.publish(now - n * 3 * MINUTE);
        break;
      case 'reappears':
        for (const story of this.stories) if (story.state === 'away') story.state = 'there';
        if (one !== undefined) one.state = 'away';
        break;
      default:
        break;
    }
    if (random.chance(0.5)) this.publish(now - random.int(1, 40) * MINUTE);
  }

  #word(): string {
    return Array.from({ length: this.#random.int(3, 9) }, () => 'abcdefghijklmnoprstuvw'[this.#random.int(0, 21)]).join(
      '',
    );
  }
}
