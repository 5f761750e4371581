/** Writes Atom 1.0 (RFC 4287) with the package `feed`, and adds what the package omits. */
import { createHash } from 'node:crypto';
import { Feed } from 'feed';
import { escapeHtml } from '../../lib/html.ts';
import { rfc3339 } from '../../lib/time.ts';
import { openSlots, replaceMark, type Slots, splitItems } from './feed-package.ts';
import type { FeedEnclosure, FeedItem } from './feed-view.ts';
import { enclosuresOf, type FeedEntry, type FeedView, feedUpdated, type Tombstone } from './feed-view.ts';
import { historyElements, MEDIA_NAMESPACE, mediaElements } from './xml-extensions.ts';

/** @returns the document, with a tombstone for each retracted article. Same input, same bytes */
export function renderAtom(view: FeedView, entries: FeedEntry[], tombstones: Tombstone[]): string {
  const slots = openSlots();
  const self = slots.text(view.urls.atom);
  const feed = new Feed({
    id: slots.text(view.id),
    title: slots.text(view.title),
    link: slots.text(view.siteUrl),
    description: slots.text(view.description),
    updated: new Date(feedUpdated(view, entries)),
    generator: 'daywire',
    stylesheet: view.stylesheet,
    feedLinks: { atom: self },
    ...(view.hub === null ? {} : { hub: slots.text(view.hub) }),
    // §4.1.2: an entry without an author takes the feed's.
    author: { name: slots.text(view.publication), link: slots.text(view.siteUrl) },
    ...(view.rights === null ? {} : { copyright: slots.text(view.rights) }),
  });
  const titles = entries.map(({ item }) => textConstruct(item.title, slots));
  const summaries = entries.map(({ item }) => textConstruct(item.summary, slots));
  entries.forEach(({ item, full }, index) => {
    feed.addItem({
      title: titles[index]?.slot as string,
      id: slots.text(item.id),
      link: slots.text(item.url),
      date: new Date(item.updatedAt),
      published: new Date(item.publishedAt),
      description: summaries[index]?.slot as string,
      author: item.authors.map(({ name, email }) => ({
        name: slots.text(name),
        ...(email === null ? {} : { email: slots.text(email) }),
      })),
      category: item.categories.map((term) => ({ term: slots.text(term) })),
      ...(full ? { content: slots.html(item.html) } : {}),
    });
  });

  const marks = { open: '<entry>', close: '</entry>' };
  const { head, items, tail } = splitItems(`${feed.atom1()}\n`, marks, entries.length);
  const selfLink = `<link rel="self" href="${self}"/>`;
  const linked = replaceMark(head, selfLink, selfLink + historyElements(view, 'atom', slots, '\n    '));
  const completedEntries = entries.map(({ item }, index) => {
    const constructs = { title: titles[index] as TextConstruct, summary: summaries[index] as TextConstruct };
    return completeEntry(items[index] as string, item, constructs, view, slots);
  });
  const completed = completeHead(linked, view, slots) + completedEntries.join('') + tail;
  return slots.fill(replaceMark(completed, '</feed>', `${deletedEntries(tombstones, view, slots)}</feed>`));
}

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

function completeEntry(
  entry: string,
  item: FeedItem,
  constructs: { title: TextConstruct; summary: TextConstruct },
  view: FeedView,
  slots: Slots,
): string {
  let completed = entry;
  for (const [name, { type, slot }] of Object.entries(constructs)) {
    const element = `<${name} type="html"><![CDATA[${slot}]]></${name}>`;
    completed = replaceMark(completed, element, `<${name} type="${type}">${slot}</${name}>`);
  }
  const updated = `<updated>${new Date(item.updatedAt).toISOString()}</updated>`;
  completed = replaceMark(completed, updated, `<updated>${distinctInstant(item.updatedAt, item.id)}</updated>`);
  const { report } = item;
  const extra = [
    // §4.2.7.2: the resource from which the content comes.
    ...(report === null
      ? []
      : [`<link rel="via" href="${slots.text(report.url)}" title="${slots.text(report.outlet)}"/>`]),
    ...enclosuresOf(item.media).map((media) => enclosureLink(media, slots)),
    ...mediaElements(item.media, slots),
  ];
  completed = replaceMark(completed, '</entry>', `${extra.map((xml) => `    ${xml}\n    `).join('')}</entry>`);
  return (item.language === view.language ? '<entry>' : `<entry xml:lang="${slots.text(item.language)}">`) + completed;
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

/**
 * An instant as RFC 3339, with a fraction of its millisecond derived from the item's id: the W3C validator warns of
 * entries with the same `updated` (DuplicateUpdated), which a busy newsroom has.
 */
function distinctInstant(instant: number, id: string): string {
  const fraction = createHash('sha256').update(id).digest().readUInt32BE() % 1_000_000;
  return new Date(instant).toISOString().replace('Z', `${String(fraction).padStart(6, '0')}Z`);
}

function enclosureLink(media: FeedEnclosure, slots: Slots): string {
  const title = media.title === null ? '' : ` title="${slots.text(media.title)}"`;
  const url = slots.text(media.url);
  const type = slots.text(media.type);
  return `<link rel="enclosure" href="${url}" type="${type}" length="${media.length}"${title}/>`;
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
