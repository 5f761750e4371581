/** A report that an editor names by its address: reads its page, and puts it among the reports of outlets. */
import { parseWrittenInstant } from '../../articles/import/front-matter/written-instant.ts';
import { cleanLine, cleanUrl, hasVisibleCharacter } from '../../lib/clean-text.ts';
import { addItem, type NamedItem } from '../../sources/story-groups/add-item.ts';
import { GroupCommandError } from '../../sources/story-groups/commands.ts';
import type { AppContext } from '../app-context.ts';
import { type PageReadingOptions, readReportPage } from './read-page.ts';

/** What the editor says instead of the page. */
export interface ReportOverrides {
  title?: string | undefined;
  outlet?: string | undefined;
  /** As in front matter: `2026-11-24 07:30`. */
  published?: string | undefined;
}

export interface AddedReport {
  /** The id of its item. */
  id: number;
  /** False if it is among the reports already: it keeps its title and its group. */
  isNew: boolean;
  report: NamedItem;
  /** What the editor should know of the page. */
  notices: string[];
}

/** Characters. */
const MAX_TITLE = 300;
const MAX_OUTLET = 100;

/**
 * Reads the page and stores the report. A page that cannot be read is enough with a title of the editor.
 * @throws GroupCommandError if the page cannot be read, or has no title; the reason of `options.signal`
 */
export async function addReport(
  app: AppContext,
  address: string,
  overrides: ReportOverrides,
  options: Omit<PageReadingOptions, 'now'> = {},
): Promise<AddedReport> {
  const { store, config, clock } = app;
  const own = readOverrides(overrides, config.publication.zone);
  const reading = await readReportPage(config, address, { ...options, now: clock() });
  if (reading.kind === 'unreadable' && (own.title === undefined || cleanUrl(address) === null)) {
    throw new GroupCommandError(`${reading.reason}\nwith --title and --outlet the report is added without its page`);
  }
  const notices = reading.kind === 'unreadable' ? [reading.reason] : [];
  const page = reading.kind === 'read' ? reading.page : unreadPage(cleanUrl(address) as string);
  if (page.originalUrl !== null) notices.push(`the page names ${page.originalUrl} as the original`);
  const title = own.title ?? page.title;
  if (title === null) throw new GroupCommandError(`${page.url} has no title: give one with --title`);
  const { summary, url, language, imageUrl } = page;
  const report: NamedItem = {
    ...{ summary, url, language, imageUrl },
    title: title.slice(0, MAX_TITLE).toWellFormed(),
    outlet: (own.outlet ?? page.outlet).slice(0, MAX_OUTLET).toWellFormed(),
    publishedAt: own.publishedAt ?? page.publishedAt,
  };
  return { ...(await addItem(store, report, clock())), report, notices };
}

function unreadPage(url: string) {
  const outlet = new URL(url).hostname.replace(/^www\./, '');
  const nothing = { title: null, summary: null, language: null, imageUrl: null, publishedAt: null, originalUrl: null };
  return { ...nothing, outlet, url };
}

/** @throws GroupCommandError */
function readOverrides({ title, outlet, published }: ReportOverrides, zone: string) {
  const instant = published === undefined ? undefined : parseWrittenInstant(published, zone);
  if (instant?.kind === 'unclear') throw new GroupCommandError(`--published ${published}: ${instant.rule}`);
  return {
    title: title === undefined ? undefined : ownLine('--title', title, MAX_TITLE),
    outlet: outlet === undefined ? undefined : ownLine('--outlet', outlet, MAX_OUTLET),
    publishedAt: instant?.at,
  };
}

function ownLine(option: string, text: string, limit: number): string {
  const line = cleanLine(text);
  if (!hasVisibleCharacter(line)) throw new GroupCommandError(`${option} is empty`);
  if (line.length <= limit) return line;
  throw new GroupCommandError(`${option} has ${line.length} characters: at most ${limit} are allowed`);
}
