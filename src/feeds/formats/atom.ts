/** Writes Atom 1.0 (RFC 4287) with the package `feed`, and adds what the package omits. */
import { Feed } from 'feed';
import { iconUrl } from '../../core/config/site-view.ts';
import { escapeHtml } from '../../lib/text/html.ts';
import { rfc3339 } from '../../lib/time.ts';
import {
  BODY_MARK,
  type BodyPlace,
  type Frame,
  ITEMS_ONLY,
  type ItemText,
  openSlots,
  replaceMark,
  type Slots,
  splitAt,
  splitItems,
} from './feed-package.ts';
import {
  channelPicture,
  enclosuresOf,
  type FeedEnclosure,
  type FeedItem,
  type FeedView,
  type ItemsView,
  type Person,
  type Tombstone,
} from './feed-view.ts';
import { aroundBodies, MEDIA_NAMESPACE, mediaElements } from './xml-extensions.ts';

/** With a tombstone for each retracted article. @param updatedAt see `feedUpdated` */
export function atomFrame(view: FeedView, updatedAt: number, tombstones: Tombstone[]): Frame {
  const slots = openSlots();
  const self = slots.text(view.urls.atom);
  const { publication } = view;
  const cover = channelPicture(publication.cover, publication);
  const feed = new Feed({
    id: slots.text(view.id),
    title: slots.text(view.title),
    link: slots.text(view.siteUrl),
    description: slots.text(view.description),
    updated: new Date(updatedAt),
    generator: 'daywire',
    stylesheet: view.stylesheet,
    feedLinks: { atom: self },
    ...(view.hub === null ? {} : { hub: slots.text(view.hub) }),
    // Square (§4.2.5); the logo is wide (§4.2.8).
    favicon: slots.text(iconUrl(publication.url, 192)),
    ...(cover === null ? {} : { image: slots.text(cover) }),
    // §4.1.2: an entry without an author takes the feed's.
    author: { name: slots.text(publication.name), link: slots.text(view.siteUrl) },
    ...(publication.copyright === undefined ? {} : { copyright: slots.text(publication.copyright) }),
  });
  const [written] = splitAt(feed.atom1(), '\n</feed>');
  const end = `\n${deletedEntries(tombstones, view, slots)}</feed>\n`;
  const [head = '', tail = ''] = slots.fill([completeHead(written, view, slots), end]);
  return { head, first: BETWEEN, between: BETWEEN, tail };
}

/** The text between two entries, as the package writes it. */
const BETWEEN = '\n    ';

function completeHead(head: string, view: FeedView, slots: Slots): string {
  const root =
    `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="${MEDIA_NAMESPACE}" ` +
    `xml:lang="${slots.text(view.language)}">`;
  return replaceMark(
    replaceMark(head, 'type="text/xsl"', 'type="text/css"'),
    '<feed xmlns="http://www.w3.org/2005/Atom">',
    root,
  );
}

/** The body as a CDATA section is put between. */
export const ATOM_BODY: BodyPlace = { open: '\n        <content type="html">', close: '</content>' };

/** Renders entries with one call of the package. */
export function atomItems(items: FeedItem[], { language }: ItemsView): ItemText[] {
  const slots = openSlots();
  const feed = new Feed(ITEMS_ONLY);
  const titles = items.map(({ title }) => textConstruct(title, slots));
  const summaries = items.map(({ summary }) => textConstruct(summary, slots));
  items.forEach((item, index) => {
    feed.addItem({
      title: titles[index]?.slot as string,
      id: slots.text(item.id),
      link: slots.text(item.url),
      date: new Date(item.updatedAt),
      published: new Date(item.publishedAt),
      description: summaries[index]?.slot as string,
      author: personsOf(item.authors, slots),
      contributor: personsOf(item.editors, slots),
      category: item.categories.map((term) => ({ term: slots.text(term) })),
      content: BODY_MARK,
    });
  });
  const skeletons = splitItems(feed.atom1(), { open: '<entry>', close: '</entry>', between: BETWEEN }, items.length);
  const parts = items.flatMap((item, index) => {
    const constructs = { title: titles[index] as TextConstruct, summary: summaries[index] as TextConstruct };
    const completed = completeEntry(skeletons[index] as string, item, constructs, language, slots);
    return splitAt(completed, `${ATOM_BODY.open}<![CDATA[${BODY_MARK}]]>${ATOM_BODY.close}`);
  });
  return aroundBodies(slots.fill(parts));
}

function completeEntry(
  entry: string,
  item: FeedItem,
  constructs: { title: TextConstruct; summary: TextConstruct },
  feedLanguage: string,
  slots: Slots,
): string {
  let completed = entry;
  for (const [name, { type, slot }] of Object.entries(constructs)) {
    const element = `<${name} type="html"><![CDATA[${slot}]]></${name}>`;
    completed = replaceMark(completed, element, `<${name} type="${type}">${slot}</${name}>`);
  }
  const { report } = item;
  const extra = [
    // §4.2.7.2: the resource from which the content comes.
    ...(report === null
      ? []
      : [`<link rel="via" href="${slots.text(report.url)}" title="${slots.text(report.outlet)}"/>`]),
    ...enclosuresOf(item.media).map((media) => enclosureLink(media, slots)),
    ...mediaElements(item, slots),
  ];
  completed = replaceMark(completed, '</entry>', `${extra.map((xml) => `    ${xml}\n    `).join('')}</entry>`);
  return (item.language === feedLanguage ? '<entry>' : `<entry xml:lang="${slots.text(item.language)}">`) + completed;
}

function personsOf(people: Person[], slots: Slots) {
  return people.map(({ name, email }) => {
    return { name: slots.text(name), ...(email === null ? {} : { email: slots.text(email) }) };
  });
}

interface TextConstruct {
  type: 'text' | 'html';
  slot: string;
}

/**
 * §3.1.1: `text` for plain text; `html`, escaped twice, if the text contains what lenient readers take for markup or a
 * character reference even in a text construct. A reader that respects the type displays the same either way.
 */
function textConstruct(text: string, slots: Slots): TextConstruct {
  return /<[A-Za-z/!?]|&(?:#|[A-Za-z][A-Za-z0-9])/.test(text)
    ? { type: 'html', slot: slots.text(escapeHtml(text)) }
    : { type: 'text', slot: slots.text(text) };
}

function enclosureLink(media: FeedEnclosure, slots: Slots): string {
  const title = media.title === null ? '' : ` title="${slots.text(media.title)}"`;
  const url = slots.text(media.url);
  const type = slots.text(media.type);
  const length = media.length === 0 ? '' : ` length="${media.length}"`;
  return `<link rel="enclosure" href="${url}" type="${type}"${length}${title}/>`;
}

/** RFC 6721 §3. Each element declares the prefix: the W3C validator does not know the namespace. */
function deletedEntries(tombstones: Tombstone[], view: FeedView, slots: Slots): string {
  return tombstones
    .map(({ id, retractedAt, note, language }) => {
      const lang = language === view.language ? '' : ` xml:lang="${slots.text(language)}"`;
      const { type, slot } = textConstruct(note, slots);
      return (
        '    <at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ' +
        `ref="${slots.text(id)}" when="${rfc3339(retractedAt)}"${lang}>\n` +
        `        <at:comment type="${type}">${slot}</at:comment>\n    </at:deleted-entry>\n`
      );
    })
    .join('');
}
