/** A report that an editor names by its address: reads its page, and puts it among the reports of outlets. */

import { parseWrittenInstant } from '../../articles/import/front-matter/written-instant.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { Config } from '../../core/config/config.ts';
import { ownSites } from '../../core/config/sources.ts';
import type { Tx } from '../../core/store/store.ts';
import { privateHost } from '../../lib/private-address.ts';
import { boundedLine, cleanLine, cleanUrl, hasVisibleCharacter } from '../../lib/text/clean-text.ts';
import { shorten } from '../../lib/text/shorten.ts';
import { MAX_TITLE, MAX_URL } from '../items/usable-entry.ts';
import { outletOf, type PageReadingOptions, type ReportPage, readReportPage } from '../page/read-report-page.ts';
import { type AddedItem, addItem, type NamedItem } from './add-item.ts';
import { GroupCommandError } from './commands.ts';

/** What the editor says instead of the page. */
export interface ReportOverrides {
  title?: string | undefined;
  outlet?: string | undefined;
  /** As in front matter: `2026-11-24 07:30`. */
  published?: string | undefined;
}

export interface AddedReport extends AddedItem {
  /** What the editor should know of the page. */
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
const MAX_OUTLET = 100;

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
    throw new ReportInputError('title', `${page.url} has no title: give one with --title`, 'the page has none');
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
