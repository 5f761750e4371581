/**
 * The view of a full edition: 25 stories, all blocks, and strings that break careless markup. Figures were reported at
 * the time by the organisations named; people and addresses are invented.
 */
import type { SiteView } from '../../../src/core/config/site-view.ts';
import type {
  Correction,
  EditionView,
  NewsLine,
  Paragraph,
  RoundupItem,
  Story,
  StoryLine,
} from '../../../src/editions/rendering/edition-view.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';

export const SAMPLE_NONCE = '5f2c9a71d04be83c6e1f7a90';

/** 07:30 on Tuesday, November 24, 2026 in Shanghai. */
const SLOT = Date.UTC(2026, 10, 23, 23, 30);

export const SAMPLE_SITE: SiteView = {
  name: 'The Meridian Wire',
  aboutLanguage: 'en',
  about:
    'The Meridian Wire reports on technology and business in China and beyond, with news around the clock, ' +
    'short analysis, and a daily roundup of what others reported first.',
  url: 'https://wire.example.com',
  language: 'en',
  zone: 'Asia/Shanghai',
  accent: { light: '#9b1c1f', dark: '#f08a80' },
  contact: { name: 'Newsroom', email: 'newsroom@example.com' },
  postalAddress: 'The Meridian Wire, 1 Sample Road, Shanghai 200000, China',
  copyright: '© The Meridian Wire',
  imprint: null,
  privacy: null,
  logo: null,
  pages: [],
  cover: null,
  sections: [
    { id: 'business-tech', title: 'Business & Tech' },
    { id: 'finance-economy', title: 'Finance & Economy' },
  ],
  feeds: [
    { id: 'latest', title: 'Latest', description: 'Every story, newest first.', language: 'en' },
    { id: 'roundups', title: 'Roundups', description: null, language: 'en' },
  ],
  newsletters: [
    { id: 'daily-roundup', title: 'The Daily Roundup', description: 'The day in one email.', language: 'en' },
  ],
};

function line(articleId: string, headline: string, hoursBefore: number, rest: Partial<StoryLine> = {}): StoryLine {
  return {
    articleId,
    kicker: null,
    headline,
    url: `https://wire.example.com/articles/${articleId}`,
    dek: null,
    topic: null,
    section: 'Business & Tech',
    publishedAt: SLOT - Math.round(hoursBefore * 60) * MINUTE,
    lang: null,
    dir: 'ltr',
    ...rest,
  };
}

function story(articleId: string, headline: string, hoursBefore: number, rest: Partial<Story> = {}): Story {
  return {
    ...line(articleId, headline, hoursBefore),
    image: null,
    paragraphs: [],
    more: true,
    bylines: [],
    related: [],
    fullStory: null,
    correction: null,
    ...rest,
  };
}

function plain(text: string): Paragraph {
  return { html: text.replaceAll('&', '&amp;').replaceAll('<', '&lt;'), text };
}

function item(
  articleId: string,
  headline: string,
  outlet: string,
  sentences: string,
  rest: Partial<RoundupItem> = {},
  reportedAt: number | null = null,
): RoundupItem {
  const url = `https://example.com/${outlet.toLowerCase().replaceAll(' ', '-')}/${articleId}`;
  return {
    ...line(articleId, headline, 12),
    headlineUrl: url,
    outlet: { name: outlet, url, publishedAt: reportedAt },
    sentences: plain(sentences),
    more: false,
    also: [],
    ...rest,
  };
}

const TOP = story('chips-2025', 'China Buys $143 Billion of Chips and Makes Barely a Sixth of Them', 1.4, {
  kicker: 'Exclusive',
  topic: 'Chips',
  dek:
    'Sales of integrated circuits rose 9%, yet companies with their roots in the country supplied 5.9% of what ' +
    'it bought.',
  image: {
    url: 'https://wire.example.com/media/chips.jpg',
    alt: 'A technician in a white suit holds a silicon wafer up to the light of a clean room',
    credit: 'Photo: Lin Qiao / Meridian Wire',
    width: 1200,
    height: 720,
  },
  paragraphs: [
    plain(
      'The world’s largest buyer of semiconductors spent $143 billion on integrated circuits last year, 9% more ' +
        'than the year before, and still depends on others for nearly all of them, according to figures from the ' +
        'research firm IC Insights.',
    ),
    {
      html:
        'Only 15.9% of those chips were made on the mainland at all, and plants of foreign groups account for ' +
        'most of that. Local companies delivered 5.9%, <a ' +
        'href="https://example.com/data?series=ic&amp;year=2020">the data show</a>, a long way from a stated ' +
        'goal of making 70% at home by 2025.',
      text:
        'Only 15.9% of those chips were made on the mainland at all, and plants of foreign groups account for ' +
        'most of that. Local companies delivered 5.9%, the data show ' +
        '(https://example.com/data?series=ic&year=2020), a long way from a stated goal of making 70% at home by ' +
        '2025.',
    },
    plain(
      'About 60% of what was bought left again inside phones, computers and appliances. Logic chips made up 26% ' +
        'of the market and microprocessors 23%.',
    ),
  ],
  bylines: [
    { role: 'reporter', name: 'Wen Li', email: 'wen.li@example.com' },
    { role: 'reporter', name: 'Ada Marsh', email: 'ada.marsh@example.com' },
    { role: 'editor', name: 'Tom Okafor', email: 'tom.okafor@example.com' },
  ],
  fullStory: {
    title: 'The long road from buying chips to making them',
    url: 'https://wire.example.com/articles/chips-long-road',
  },
  related: [
    {
      title: 'State cloud goes domestic after two days without supplies',
      url: 'https://wire.example.com/articles/state-cloud',
    },
  ],
});

const NEWS: NewsLine[] = [
  line('phones-march', 'Smartphone Shipments Jump 67.7% as Makers Catch Up With Demand', 0.6, {
    topic: 'Smartphones',
    dek: 'A total of 35.3 million left the factories in March, and three in four handsets could use 5G, CAICT says.',
  }),
  line('baidu-huaneng', 'Baidu and Huaneng Agree to Build a Data Platform for Power Plants', 1.9, {
    topic: 'Energy',
    dek: 'The memorandum covers AI infrastructure, big data and cloud services for the state-owned generator.',
  }),
  line('new-economy-index', 'New Economy Index Rises to 30.1 on Venture Capital', 3.2, {
    section: 'Finance & Economy',
    dek: 'Money for start-ups did most of the lifting; the share of high-tech inputs barely moved.',
  }),
  line('guangdong-power', '广东电力供应趋紧：高温来袭，云南水电减少', 5.1, {
    topic: '电力',
    dek: '高温推高用电需求，而来自云南的水电低于往年，广东今夏电力供应偏紧。',
    lang: 'zh-Hans',
  }),
  line('base-stations', 'Carriers Pass 718,000 5G Base Stations, Seven in Ten of the World’s', 8.4, {
    topic: '5G',
    dek: 'All major cities are covered, at a cost of 260 billion yuan ($40 billion) so far.',
  }),
  line('box-office', 'Holiday Box Office Takes 5.7 Billion Yuan in Five Days, a Third Over 2019', 10.2, {
    kicker: 'Charts of the Day',
    section: 'Trending Stories',
    dek: 'Shares of Imax China rose as much as 88% and those of Alibaba Pictures 35%.',
  }),
  line('template-bug', 'Regulator’s “Vec<T> & AT&T” Filing Was a Typo, Officials Say 🚀', 13.75, {
    section: 'World',
    dek: 'The document read <script>alert("filed")</script> where a company’s name should have stood.',
  }),
  line('solar-wind', 'Solar Reaches 240 GW, Set to Pass Wind as Third Source of Power', 15.5, { topic: 'Solar' }),
].map((one) => ({ ...one, thumbnail: null }));

const ANALYSIS: Story[] = [
  story('nev-q1', 'Electric Cars Stop Being a Matter of Subsidy', 4, {
    kicker: 'Analysis',
    topic: 'Batteries',
    dek:
      'Sales of new energy vehicles were 2.8 times those of a year ago, and this time buyers rather than fleets ' +
      'did the buying.',
    paragraphs: [
      plain(
        'Drivers bought 515,000 new energy vehicles in the first quarter, the industry association CAAM ' +
          'reports. That is some 2.8 times as many as a year earlier, when showrooms were shut, but it is also ' +
          'well ahead of any quarter before that.',
      ),
      plain(
        'What changed is appetite. In a survey by McKinsey 63% of respondents were interested in an electric ' +
          'car, against 20% in 2017. What has not changed is the shortage of chips: Nio lowered its outlook after ' +
          'one plant stood idle for five days in March.',
      ),
    ],
    bylines: [
      { role: 'reporter', name: 'Mei Tanaka', email: 'mei.tanaka@example.com' },
      { role: 'editor', name: 'Tom Okafor', email: 'tom.okafor@example.com' },
    ],
    related: [{ title: 'Nio is worth more than General Motors', url: 'https://wire.example.com/articles/nio-gm' }],
  }),
  story('cloud-q2', 'Four Firms Hold Four-Fifths of the Cloud, and Prices Show It', 7, {
    kicker: 'In Depth',
    topic: 'Cloud',
    dek: 'A market of $4.3 billion a quarter grows 70% a year, with little room left below the top.',
    paragraphs: [
      plain(
        'Alibaba has 40.1% of the country’s cloud infrastructure, Huawei 15.5%, Tencent 15.1% and Baidu 8%: ' +
          'together 78.7%, by Canalys’s count. The market, at $4.3 billion in the second quarter, is second only ' +
          'to that of the United States.',
      ),
      plain('One unit has begun to cut prices across the board, which says less about costs than about rank.'),
    ],
    bylines: [{ role: 'reporter', name: 'Jonas Feld', email: null }],
    fullStory: { title: 'Who pays for the cloud?', url: 'https://wire.example.com/articles/who-pays' },
    correction: {
      note: 'An earlier version gave the market’s size for the half-year instead of the quarter.',
      at: SLOT - 3 * HOUR,
    },
  }),
  story('self-driving', 'Half of New Cars Are to Steer Themselves a Little by Next Year', 9, {
    kicker: 'Analysis',
    topic: 'Self-driving',
    dek:
      'The plan asks for level 2 in one car of two, then seven of ten by 2030; about one in ten had it when the ' +
      'goal was set.',
    paragraphs: [
      plain(
        'Targets of this sort are usually met by definition: what counts as level 2 is generous, and carmakers ' +
          'already fit the sensors. Level 4 is another matter. It is meant to be on sale now and to reach a fifth ' +
          'of new cars by 2030.',
      ),
    ],
    more: false,
    bylines: [{ role: 'reporter', name: 'Ada Marsh', email: 'ada.marsh@example.com' }],
  }),
  story('cable-tv', 'All Eleven Cable Operators Shrink at Once', 11, {
    kicker: 'Analysis',
    section: 'Finance & Economy',
    paragraphs: [
      plain(
        'Every listed cable television company reported lower profit and lower revenue for the first half. When ' +
          'the best of eleven managers cannot grow, the trouble lies in the cable.',
      ),
    ],
    bylines: [{ role: 'reporter', name: 'Noor Haddad', email: 'noor.haddad@example.com' }],
  }),
];

const ROUNDUP: RoundupItem[] = [
  item(
    'hk-listing',
    'Chatbot Maker Files to List in Hong Kong',
    'Yicai',
    'The company, which sells an AI assistant to banks and insurers, would be among the first of its kind on ' +
      'the exchange. It did not say how much it hopes to raise.',
    {
      more: true,
      also: [
        { name: 'South China Morning Post', url: 'https://example.com/scmp/hk-listing' },
        { name: 'Bloomberg', url: 'https://example.com/bloomberg/hk-listing' },
      ],
    },
  ),
  item(
    'false-report',
    'Voice-Technology Group Plunges After a Chatbot Invents Bad News',
    'STAR Daily',
    'A report that had been written by a machine, and was wrong, went round brokers’ chat groups within minutes.',
    { also: [{ name: 'Reuters', url: 'https://example.com/reuters/false-report?a=1&b="2"' }] },
    SLOT - 45 * MINUTE,
  ),
  item(
    'activision',
    'China Clears Microsoft’s Purchase of Activision Blizzard',
    'Reuters',
    'The approval comes without conditions, after those of the European Union.',
    {},
    SLOT - 12 * HOUR,
  ),
  item(
    'robot-maker',
    'Robot Maker Seeks $108 Million on the STAR Market',
    'Jiemian',
    'It builds arms for factories and wants the money for a second plant.',
  ),
  item(
    'huawei-profit',
    'Huawei’s Profit Falls 69%',
    'Nikkei Asia',
    'Spending on research stayed where it was while sales stood still.',
  ),
  item('tesla-charging', 'Tesla Opens Its Charging Stations to Other Makes', 'LatePost', '', {
    sentences: null,
    also: [{ name: '36Kr', url: 'https://example.com/36kr/tesla-charging' }],
  }),
];

const LATEST: StoryLine[] = [
  line('double-eleven', 'Double Eleven: Alibaba Counts 498.2 Billion Yuan, JD.com 271.5 Billion', 20),
  line('nio-gm', 'Nio, at $59.96 Billion, Is Worth More Than General Motors', 22, { topic: 'Shares' }),
  line('five-g-phones', 'More Than 160 Million 5G Phones to Be Sold This Year, IDC Forecasts', 25),
  line('robotaxis', 'Beijing Zone Puts Robotaxis at 100 Stops', 28, { kicker: 'Trending in China' }),
  line('star-exits', 'Two Firms Leave the STAR Market', 31),
  line('golden-week', 'Golden Week Cinemas Sell Three-Quarters of What They Sold a Year Earlier', 40),
];

const CORRECTIONS: Correction[] = [
  {
    articleId: 'lithium-morocco',
    kind: 'correction',
    headline: 'Battery Materials Venture Picks Morocco for Its Lithium',
    url: 'https://wire.example.com/articles/lithium-morocco',
    note: 'The venture will refine lithium, not mine it.',
    at: SLOT - 9 * HOUR,
    lang: null,
    dir: 'ltr',
  },
  {
    articleId: 'delivery-app',
    kind: 'retraction',
    headline: 'Exclusive: Delivery App to Leave Hong Kong',
    url: 'https://wire.example.com/articles/delivery-app',
    note: 'The app is opening in Hong Kong. Our source spoke of another company; the story has been withdrawn.',
    at: SLOT - 20 * HOUR,
    lang: null,
    dir: 'ltr',
  },
];

export const SAMPLE_VIEW: EditionView = {
  masthead: {
    title: 'The Daily Roundup',
    newsletter: 'daily-roundup',
    kicker: 'Tech Roundup',
    date: SLOT,
    number: 214,
    slot: '2026-11-24',
    revision: 1,
    revisionNote: null,
    isCorrection: false,
  },
  note: [],
  hasContents: false,
  readingMinutes: null,
  sponsor: null,
  headline: 'Tech Roundup: China Makes Barely a Sixth of Its Chips, Smartphone Shipments Jump 67.7%',
  subject: 'Tech Roundup: China Makes Barely a Sixth of Its Chips',
  preheader:
    'Sales of integrated circuits rose 9%, yet companies with their roots in the country supplied 5.9% of what ' +
    'it bought.',
  lead: TOP,
  newsTitle: '24-Hour News',
  news: NEWS,
  analysis: ANALYSIS,
  roundup: ROUNDUP,
  latest: LATEST,
  corrections: CORRECTIONS,
  links: {
    home: 'https://wire.example.com/',
    archive: 'https://wire.example.com/editions/daily-roundup/2026-11-24',
    editions: 'https://wire.example.com/editions/daily-roundup',
    feeds: 'https://wire.example.com/feeds/',
    newsletters: 'https://wire.example.com/newsletters',
  },
};

/** A minimal edition: two headlines. */
export const SMALL_VIEW: EditionView = {
  ...SAMPLE_VIEW,
  lead: null,
  news: [],
  analysis: [],
  roundup: [],
  corrections: [],
  latest: LATEST.slice(0, 2),
};

/** An alert: one article. */
export const ALERT_VIEW: EditionView = {
  ...SMALL_VIEW,
  masthead: {
    ...SAMPLE_VIEW.masthead,
    title: 'Breaking News',
    newsletter: 'breaking',
    kicker: 'Breaking',
    number: 12,
    slot: '2026-11-24-0730',
  },
  headline: `Breaking: ${TOP.headline}`,
  subject: `Breaking: ${TOP.headline}`,
  lead: TOP,
  latest: [],
  links: {
    ...SAMPLE_VIEW.links,
    archive: 'https://wire.example.com/editions/breaking/2026-11-24-0730',
    editions: 'https://wire.example.com/editions/breaking',
  },
};

/** A weekly edition, by section, with everything that the configuration can add. */
export const WEEKLY_VIEW: EditionView = {
  ...SAMPLE_VIEW,
  masthead: {
    ...SAMPLE_VIEW.masthead,
    title: 'The Weekly Roundup',
    newsletter: 'weekly-roundup',
    kicker: 'The Week',
    number: 31,
  },
  lead: { ...TOP, kicker: 'Cover Story' },
  hasContents: true,
  readingMinutes: 7,
  newsTitle: 'This Week',
  news: [...NEWS, { ...line('no-section', 'A Story Without a Section', 90, { section: null }), thumbnail: null }],
};

/** The daily roundup with everything that the configuration and the editor can add. */
export const FULL_VIEW: EditionView = {
  ...SAMPLE_VIEW,
  masthead: {
    ...SAMPLE_VIEW.masthead,
    revision: 2,
    revisionNote: 'This is revision 2 of this edition. The first was closed at 07:30.',
    isCorrection: false,
  },
  note: [
    {
      html: 'Good morning. Today is about <em>chips</em>: what the country buys, and <a href="https://wire.example.com/articles/chips-2025">how little of it</a> it makes.',
      text: 'Good morning. Today is about chips: what the country buys, and how little of it (https://wire.example.com/articles/chips-2025) it makes.',
    },
    plain('• The figures come from IC Insights.'),
    plain('• Our next edition is on Wednesday, as usual.'),
  ],
  hasContents: true,
  readingMinutes: 6,
  sponsor: {
    label: 'Sponsored',
    text: 'Qiao & Partners advises makers of sensors and drives. Meet us in Hall 7 of the fair, or read our report on supply chains.',
    url: 'https://example.com/qiao?utm_source=wire&utm_medium=email',
    host: 'example.com',
    image: { url: 'https://wire.example.com/media/sponsors/qiao.png', alt: 'Qiao & Partners', width: 240 },
  },
  news: NEWS.map((one, index) => ({
    ...one,
    thumbnail:
      index % 3 === 2
        ? null
        : {
            url: `https://wire.example.com/media/r/thumb/${one.articleId}.jpg`,
            width: index === 1 ? 64 : 96,
            height: index === 1 ? 96 : 58,
          },
  })),
};

export const LOGO_SITE: SiteView = {
  ...SAMPLE_SITE,
  imprint: { url: 'https://wire.example.com/imprint', path: '/imprint' },
  logo: {
    url: 'https://wire.example.com/media/logo.png',
    darkUrl: 'https://wire.example.com/media/logo-dark.png',
    width: 320,
    alt: 'The Meridian Wire',
  },
};
