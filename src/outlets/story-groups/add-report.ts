/** A report that an editor names by its address: reads its page, and puts it among the reports of outlets. */
import type { AppContext } from '../../core/app-context.ts';
import type { Config } from '../../core/config/config.ts';
import { ownSites } from '../../core/config/sources.ts';
import { inTransaction, lockName, type Store, type Tx } from '../../core/store/store.ts';
import { privateHost } from '../../lib/private-address.ts';
import { boundedLine, cleanLine, cleanUrl, hasVisibleCharacter } from '../../lib/text/clean-text.ts';
import { shorten } from '../../lib/text/shorten.ts';
import { parseWrittenInstant } from '../../lib/written-date.ts';
import { MAX_OUTLET } from '../../sources/add-source.ts';
import { canonicalLink, isFrontPage } from '../../sources/canonical-link.ts';
import { type EntryKeys, keysOf } from '../../sources/identity/entry-keys.ts';
import { findKeys, saveKeys } from '../../sources/identity/item-keys.ts';
import { outletKeyTable } from '../items/item-keys.ts';
import { startOfDay } from '../items/plan-recording.ts';
import { MAX_TITLE, MAX_URL } from '../items/usable-entry.ts';
import { outletOf, type PageReadingOptions, type ReportPage, readReportPage } from '../page/read-report-page.ts';
import { GroupCommandError } from './commands.ts';
import { lockGroups } from './group-rows.ts';
import type { GroupedItem } from './story-group.ts';

/** Values of the editor that replace those of the page. */
export interface ReportOverrides {
  title?: string | undefined;
  outlet?: string | undefined;
  /** As in front matter: `2026-11-24 07:30`. */
  published?: string | undefined;
}

export interface AddedReport extends AddedItem {
  /** Notices for the editor about the page. */
  notices: string[];
}

/** The page cannot be read, and the editor has given no title: with one, the report is added without its page. */
export class UnreadPageError extends GroupCommandError {
  override name = 'UnreadPageError';
  /** Sentences that name the address. */
  readonly reason: string;

  constructor(reason: string) {
    super(`${reason}\nwith --title and --outlet the report is added without its page`);
    this.reason = reason;
  }
}

/** Something that the editor gave cannot be used. */
export class ReportInputError extends GroupCommandError {
  override name = 'ReportInputError';
  readonly field: 'address' | keyof ReportOverrides;
  /** The message without the option of the command line, for a form. */
  readonly rule: string;

  constructor(field: 'address' | keyof ReportOverrides, message: string, rule = message) {
    super(message);
    this.field = field;
    this.rule = rule;
  }
}

/** Characters, as in the configuration. */

/**
 * Reads the page and stores the report. A page that cannot be read is enough with a title of the editor.
 * @param options `onCommit`: see `addItem`
 * @throws UnreadPageError, ReportInputError, other GroupCommandError; the reason of `options.signal`
 */
export async function addReport(
  app: AppContext,
  address: string,
  overrides: ReportOverrides,
  {
    onCommit,
    ...options
  }: Omit<PageReadingOptions, 'now'> & {
    onCommit?: (tx: Tx, id: number) => Promise<void>;
  } = {},
): Promise<AddedReport> {
  const { store, config, clock } = app;
  const own = readOverrides(overrides, config.publication.zone, clock());
  const reading = await readReportPage(config, address, { ...options, now: clock() });
  const notices = reading.kind === 'unreadable' ? [reading.reason] : [];
  const page = reading.kind === 'read' ? reading.page : unreadPage(config, address, reading.reason, own.title);
  if (page.url.length > MAX_URL) {
    const length = `has ${page.url.length} characters: at most ${MAX_URL} are allowed`;
    throw new ReportInputError('address', `the address ${shorten(page.url, 80)} ${length}`);
  }
  if (page.originalUrl !== null) notices.push(`the page names ${page.originalUrl} as the original`);
  const title = own.title ?? page.title;
  if (title === null) {
    throw new ReportInputError(
      'title',
      `${page.url} has no title: give one with --title`,
      'is not on the page: write one',
    );
  }
  const { summary, url, language, imageUrl } = page;
  const report: NamedItem = {
    ...{ summary, url, language, imageUrl },
    title: boundedLine(title, MAX_TITLE),
    outlet: boundedLine(own.outlet ?? page.outlet, MAX_OUTLET),
    publishedAt: own.publishedAt ?? page.publishedAt,
  };
  const added = await addItem(store, report, clock(), onCommit);
  if (!added.isNew && Object.values(own).some((given) => given !== undefined)) {
    notices.push('it is among the reports already, and keeps its title, outlet and date');
  }
  return { ...added, notices };
}

/** @throws UnreadPageError, ReportInputError if it cannot be added without its page */
function unreadPage(config: Config, address: string, reason: string, ownTitle: string | undefined): ReportPage {
  const url = cleanUrl(address);
  if (url === null) throw new ReportInputError('address', reason);
  const host = privateHost(url, ownSites(config));
  if (host !== null) {
    throw new ReportInputError('address', `${reason}\nnobody else can open ${host}, which is a private address`);
  }
  if (ownTitle === undefined) throw new UnreadPageError(reason);
  const nothing = { title: null, summary: null, language: null, imageUrl: null, publishedAt: null, originalUrl: null };
  return { ...nothing, url, outlet: outletOf({ outlet: null, url }, config) };
}

/** @throws ReportInputError */
function readOverrides({ title, outlet, published }: ReportOverrides, zone: string, now: number) {
  const instant = published === undefined ? undefined : parseWrittenInstant(published, zone);
  if (instant?.kind === 'unclear') {
    throw new ReportInputError('published', `--published ${published}: ${instant.rule}`, instant.rule);
  }
  if (instant !== undefined && instant.at > now) {
    throw new ReportInputError('published', `--published ${published} is in the future`, 'is in the future');
  }
  return {
    title: title === undefined ? undefined : ownLine('title', title, MAX_TITLE),
    outlet: outlet === undefined ? undefined : ownLine('outlet', outlet, MAX_OUTLET),
    publishedAt: instant?.at,
  };
}

function ownLine(field: 'title' | 'outlet', text: string, limit: number): string {
  const line = cleanLine(text);
  const refuse = (rule: string) => new ReportInputError(field, `--${field} ${rule}`, rule);
  if (!hasVisibleCharacter(line)) throw refuse('is empty');
  if (line.length <= limit) return line;
  throw refuse(`has ${line.length} characters: at most ${limit} are allowed`);
}

export type NamedItem = Pick<
  GroupedItem,
  'outlet' | 'title' | 'summary' | 'url' | 'language' | 'imageUrl' | 'publishedAt'
>;

export interface AddedItem {
  id: number;
  /** False if a feed or an editor has brought it before: it keeps its title and its group. */
  isNew: boolean;
  /** As it is stored. */
  report: NamedItem;
}

/**
 * Stores an item in a group of its own, unless its link is known. A feed that brings it later has the same item.
 * @param onCommit awaited last, in the same transaction, with the id, and only if no group had the item before
 * @throws GroupCommandError for the front page of a site
 */
export function addItem(
  { db }: Pick<Store, 'db'>,
  item: NamedItem,
  now: number,
  onCommit?: (tx: Tx, id: number) => Promise<void>,
): Promise<AddedItem> {
  const canonicalUrl = canonicalLink(item.url);
  if (canonicalUrl === null || isFrontPage(canonicalUrl)) {
    throw new GroupCommandError(`${item.url} is the front page of a site: name the address of the report`);
  }
  return inTransaction(db, async (tx) => {
    await lockGroups(tx);
    // As polls do: both may bring it at the same time.
    await lockName(tx, `outlet ${item.outlet}`);
    const known = await findKnown(tx, canonicalUrl);
    if (known !== undefined) {
      // An editor decides, also about one that was dated before the first poll, or that a flood brought.
      const group_id = known.group_id ?? known.id;
      await tx.updateTable('outlet_items').set({ state: 'open', group_id }).where('id', '=', known.id).execute();
      const { id, group_id: former, state, ...report } = known;
      if (former === null || state !== 'open') await onCommit?.(tx, id);
      return { id, isNew: false, report };
    }
    const { id } = await tx
      .insertInto('outlet_items')
      .values({
        ...{ source: null, outlet: item.outlet, title: item.title, summary: item.summary, url: item.url },
        ...{ canonical_url: canonicalUrl, language: item.language, image_url: item.imageUrl },
        ...{ published_at: item.publishedAt, first_seen_at: now, seen_at: startOfDay(now), state: 'open' },
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    await tx.updateTable('outlet_items').set({ group_id: id }).where('id', '=', id).execute();
    const { link, title }: EntryKeys = keysOf({ ...item, guid: null, link: item.url });
    const table = outletKeyTable({ source: '', outlet: item.outlet });
    const keys = [link, title].filter((key) => key !== null);
    // A key that is stored is that of another item, or of several.
    const taken = await findKeys(tx, table, keys);
    const free = keys.filter((key) => !taken.has(key)).map((key) => ({ key, item: id }));
    await saveKeys(tx, table, free, now);
    await onCommit?.(tx, id);
    return { id, isNew: true, report: item };
  });
}

/** Finds the first report with this address, of any outlet: two may have the same one, as agencies do. */
function findKnown(tx: Tx, canonicalUrl: string) {
  return tx
    .selectFrom('outlet_items')
    .select(['id', 'group_id', 'state', 'outlet', 'title', 'summary', 'url', 'language'])
    .select(['image_url as imageUrl', 'published_at as publishedAt'])
    .where('canonical_url', '=', canonicalUrl)
    .orderBy('first_seen_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
}
