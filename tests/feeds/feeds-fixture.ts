/** A configuration for tests of feeds, and stories that cover all that the formats can show. */
import type { Article } from '../../src/articles/article.ts';
import { type Config, parseConfig } from '../../src/core/config/config.ts';
import { openTemplates, type Templates } from '../../src/lib/templates.ts';
import { HOUR } from '../../src/lib/time.ts';
import { article } from '../support/articles.ts';
import { NOW } from '../support/clock.ts';

const CONFIG = `
publication:
  name: The Meridian Wire
  about: Business & technology news from China, around the clock.
  url: https://wire.example.com
  tagAuthority: example.com,2026
  language: en
  zone: Asia/Shanghai
  contact: { name: Newsroom, email: newsroom@example.com }
  postalAddress: 1 Sample Road, Shanghai
  copyright: © The Meridian Wire
sections:
  - { id: business-tech, title: Business & Tech }
  - { id: world, title: World }
feeds:
  - { id: latest, title: Latest, description: 'Every story, newest first.', select: { kinds: [brief, analysis, feature, roundup] } }
  - { id: 24-hours, title: 24-Hour News, select: { kinds: [brief, analysis, feature] }, windowHours: 24 }
  - { id: business-tech, title: Business & Tech, select: { sections: [business-tech] }, content: summary }
  - { id: in-depth, title: In Depth, select: { kickers: [In Depth, Exclusive] } }
hub: https://hub.example.com/?a=1&b=2
`;

/** @param change edits the configuration's text */
export function feedsConfig(change: (text: string) => string = (text) => text): Config {
  return parseConfig(change(CONFIG), { file: 'daywire.yaml', env: {}, cwd: '/nowhere' });
}

export function feedsTemplates(): Templates {
  return openTemplates('/nowhere', 'Asia/Shanghai');
}

export const TITLE = 'Vec<T> & AT&T “三星” 🚀';

/** Eight stories with all that the formats can show; newest first. */
export const STORIES: Article[] = [
  article('everything', {
    kind: 'analysis',
    kicker: 'In Depth',
    topic: 'Smartphones',
    headline: 'Handset Makers Clear Their Shelves',
    dek: 'Shipments rose 67.7% in March, though R&D budgets did not.',
    bodyHtml:
      '<p>China shipped 35.3 million smartphones in March, says ' +
      '<a href="https://example.com/caict?a=1&amp;b=2">CAICT</a>.</p>',
    publishedAt: NOW - HOUR,
    updatedAt: NOW - HOUR / 2,
    tags: ['phones', '5G', 'Business & Tech'],
    bylines: [
      { role: 'reporter', name: 'Lin Ye', email: 'lin.ye@example.com' },
      { role: 'reporter', name: 'Ann O’Hara', email: 'ann@example.com' },
      { role: 'editor', name: 'Bo Wu', email: 'bo.wu@example.com' },
    ],
    fullStory: { url: 'https://example.com/full', title: 'Why the Shelves Were Full' },
    related: [
      { url: 'https://example.com/a', title: 'Chips Run Short' },
      { url: 'https://example.com/b', title: 'A Plant Stands Idle' },
    ],
    image: {
      url: 'https://wire.example.com/media/shop.jpg',
      alt: 'A shop with “Sale” signs & few buyers',
      credit: 'VCG',
      type: 'image/jpeg',
      length: 81_234,
      width: 1200,
      height: 800,
    },
    enclosures: [
      {
        url: 'https://wire.example.com/media/talk.mp3',
        type: 'audio/mpeg',
        length: 4_200_000,
        title: 'The story, read aloud',
      },
    ],
    status: { state: 'corrected', note: 'An earlier version gave the figure for February.', at: NOW - HOUR / 2 },
  }),
  article('hostile', {
    headline: TITLE,
    dek: 'Less < more & “so on” <b>',
    publishedAt: NOW - 2 * HOUR,
    updatedAt: NOW - 2 * HOUR,
  }),
  article('zh', {
    headline: '三月智能手机出货量同比增长67.7%',
    dek: '数据来自中国信通院。',
    bodyHtml: '<p>中国信通院的数据显示,三月出货3530万部。</p>',
    language: 'zh-Hans',
    section: 'world',
    publishedAt: NOW - 2 * HOUR,
    updatedAt: NOW - 2 * HOUR,
  }),
  article('item', {
    kind: 'feature',
    kicker: 'Exclusive',
    headline: 'Robot Maker Files for a Listing',
    outlet: { name: 'Yicai', url: 'https://example.com/yicai?x=1&y=2', publishedAt: NOW - 4 * HOUR },
    also: [
      { name: 'Robots & Arms “Daily”', url: 'https://example.com/robots?a=1&b="2"' },
      { name: '星报', url: null },
    ],
    publishedAt: NOW - 3 * HOUR,
    updatedAt: NOW - 3 * HOUR,
  }),
  article('no-dek', {
    dek: null,
    bodyHtml: '<p>First words &amp; more.</p>',
    publishedAt: NOW - 4 * HOUR,
    updatedAt: NOW - 4 * HOUR,
  }),
  article('empty', { dek: null, bodyHtml: '', section: null, publishedAt: NOW - 5 * HOUR, updatedAt: NOW - 5 * HOUR }),
  article('roundup', {
    kind: 'roundup',
    kicker: 'Tech Roundup',
    headline: 'Handsets Rise, Robots List',
    page: '/editions/daily-roundup/2026-11-24',
    publishedAt: NOW - 6 * HOUR,
    updatedAt: NOW - 6 * HOUR,
  }),
  article('old', {
    publishedAt: NOW - 40 * HOUR,
    updatedAt: NOW - 40 * HOUR,
    bylines: [{ role: 'editor', name: 'Cy Ma', email: null }],
  }),
];

export const RETRACTED = article('gone', {
  publishedAt: NOW - 30 * HOUR,
  updatedAt: NOW - 20 * HOUR,
  status: { state: 'retracted', note: 'The filing it quoted was <not> genuine.', at: NOW - 20 * HOUR },
});
