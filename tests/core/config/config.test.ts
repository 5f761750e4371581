import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Config,
  ConfigError,
  configJsonSchema,
  loadConfig,
  parseConfig,
} from '../../../src/core/config/config.ts';
import { SAMPLE_CONFIG, withoutSources } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = join(import.meta.dirname, '../../..');
const sample = readFileSync(SAMPLE_CONFIG, 'utf8');

describe('the configuration', () => {
  it('of the sample is valid, and its paths become absolute', () => {
    const config = parseConfig(sample, { file: 'config/daywire.yaml', env: {}, cwd: root });
    expect(config.publication.name).toBe('The Meridian Wire');
    expect(config.paths.store).toBe(join(root, 'var/daywire.db'));
    expect(config.newsletters[0]?.schedule?.graceMinutes).toBe(240);
  });

  // Somebody who tries daywire may have edited the file since.
  it('of the sample is the copy that the tests use, as it was committed', () => {
    const { status, stdout } = spawnSync('git', ['show', 'HEAD:config/daywire.yaml'], { cwd: root, encoding: 'utf8' });
    const edited = readFileSync(join(root, 'config/daywire.yaml'), 'utf8');
    // An unpacked archive has no commits.
    expect([status === 0 ? stdout : sample, edited]).toContain(sample);
  });

  it('has languages in their usual form', () => {
    const { publication, feeds } = parse(
      sample.replace('language: en', 'language: ZH-hans').replace('    select: {', '    language: iw\n    select: {'),
    );
    expect(publication.language).toBe('zh-Hans');
    expect(feeds.flatMap(({ language }) => language ?? [])).toEqual(['he']);
  });

  it('of the sample has an example of an alert newsletter, which needs an approval and has no schedule', () => {
    const lines = sample.split('\n');
    const from = lines.findIndex((line) => line.startsWith('  # - id: breaking'));
    const count = lines.slice(from).findIndex((line) => !line.startsWith('  # '));
    const example = lines.slice(from, from + count).map((line) => line.replace('  # ', '  '));
    const { newsletters } = parse([...lines.slice(0, from), ...example, ...lines.slice(from + count)].join('\n'));
    expect(newsletters.find(({ id }) => id === 'breaking')).toMatchObject({
      ...{ kind: 'alert', schedule: null, approval: 'required', minimumStories: 1, maxPerDay: 3 },
    });
    expect(newsletters[0]).toMatchObject({ kind: 'roundup', approval: 'auto', minimumStories: 3 });
  });

  it('takes feeds of other outlets as sources, beside sites of the newsroom', () => {
    const { sources } = parse(`${withoutSources(sample)}
sources:
  - { id: our-site, url: "https://times.example", use: articles }
  - { id: the-example, url: "https://outlet.example/feed?format=rss", use: roundup, outlet: The Example }
`);
    expect(sources).toEqual([
      {
        ...{ id: 'our-site', url: 'https://times.example', use: 'articles', api: 'auto', pollMinutes: 5 },
        ...{ sections: {}, kinds: {}, membersOnly: 'teaser', withdrawn: 'retract' },
      },
      { id: 'the-example', url: 'https://outlet.example/feed?format=rss', use: 'roundup', outlet: 'The Example' },
    ]);
  });

  it.each([
    ['https://social.example/@ada/feed?all', true],
    ['https://ada:secret@outlet.example/feed', false],
    ['https://ada@outlet.example', false],
    ['https://outlet.example/feed#top', false],
  ])('takes the address of a feed without a login, fragment or other scheme: %s', (url, isValid) => {
    const text = withoutSources(sample);
    const parsed = () => parse(`${text}\nsources: [{ id: one, url: "${url}", use: roundup, outlet: One }]\n`);
    if (isValid) expect(parsed().sources[0]).toMatchObject({ url });
    else expect(parsed).toThrow(/sources\[0\]\.url .*must be an address without a login or "#"/);
  });

  it.each([
    ['use: roundup', /sources\[0\]\.outlet is missing: must be text/],
    ['use: roundup, outlet: The Example, api: feed', /sources\[0\]\.api: there is no such key/],
    ['use: news', /sources\[0\]\.use is "news": must be articles or roundup/],
    [
      'use: roundup, outlet: The Example, language: x',
      /language is "x": must be a BCP 47 language tag such as en or zh-Hans/,
    ],
  ])('refuses a source with { %s }', (keys, problem) => {
    const text = withoutSources(sample);
    expect(() => parse(`${text}\nsources:\n  - { id: one, url: "https://outlet.example", ${keys} }\n`)).toThrow(
      problem,
    );
  });

  it('lets only what an editor picks into the roundup, unless autoPick says more', () => {
    const autoPick = (value: string) => sample.replace('minimumStories: 3', `$&\n    autoPick: ${value}`);
    expect(parse(sample).newsletters[0]?.autoPick).toBeUndefined();
    expect(parse(autoPick('true')).newsletters[0]?.autoPick).toBe(3);
    expect(parse(autoPick('2')).newsletters[0]?.autoPick).toBe(2);
    for (const value of ['1', '21', '2.5', 'false', '"many"', '[3]']) {
      const rule = 'must be true, which means 3 outlets, or a number of outlets from 2 to 20';
      expect(() => parse(autoPick(value))).toThrow(`newsletters[0].autoPick is ${value}: ${rule}`);
    }
  });

  it('requires a schedule of a roundup, and none of an alert', () => {
    const line = /\n {4}schedule: .*30 7.*/;
    expect(() => parse(sample.replace(line, ''))).toThrow(
      /newsletters\[0\]\.schedule is missing: must say when an edition closes; only a newsletter of kind alert has none/,
    );
    expect(() => parse(sample.replace(line, '$&\n    kind: alert'))).toThrow(
      /newsletters\[0\]\.schedule is \{.*: must be left out: an alert closes when an editor has approved it/,
    );
  });

  it('refuses keys that do nothing for that kind of newsletter', () => {
    const roundup = sample.replace('    kicker: Tech Roundup', '    maxPerDay: 3\n$&');
    expect(() => parse(roundup)).toThrow(
      /newsletters\[0\]\.maxPerDay is 3: must be left out: only newsletters of kind alert have a daily limit/,
    );
    const alert = sample.replace(
      '    kicker: Tech Roundup',
      '    kind: alert\n    autoPick: 2\n    newsHours: 24\n    show: { contents: true, thumbnails: true }\n    deliverAt: "07:00"\n$&',
    );
    for (const key of [
      'minimumStories',
      'blocks',
      'newsHours',
      'autoPick',
      'show.contents',
      'show.thumbnails',
      'deliverAt',
    ]) {
      expect(() => parse(alert)).toThrow(new RegExp(`newsletters\\[0\\]\\.${key} is .*: must be left out: an alert `));
    }
  });

  it('drops a trailing slash of the public URL', () => {
    expect(parse(sample.replace('url: http://127.0.0.1:8080', 'url: https://wire.example.com/')).publication.url).toBe(
      'https://wire.example.com',
    );
  });

  it.each([
    ['hub: self', 'self'],
    ['hub: https://hub.example.com/?a=1', 'https://hub.example.com/?a=1'],
    ['', undefined],
  ])('takes the hub as "%s"', (hub, expected) => {
    expect(parse(sample.replace('hub: self', hub)).hub).toEqual(expected);
  });

  it.each([
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
    ['"[::1]:0"', { host: '::1', port: 0 }],
    ['metrics.internal:65535', { host: 'metrics.internal', port: 65_535 }],
    ['off', null],
  ])('takes the address of metrics as %s', (address, expected) => {
    expect(parse(sample.replace('metrics: 127.0.0.1:9464', `metrics: ${address}`)).server.metrics).toEqual(expected);
  });

  it.each(['9464', 'localhost', '::1:9464', '127.0.0.1:65536', 'http://localhost:1', 'no', '"[1.2]:3"'])(
    'refuses the address of metrics %s',
    (address) => {
      expect(problemsOf(sample.replace('metrics: 127.0.0.1:9464', `metrics: ${address}`))).toEqual([
        expect.stringMatching(/server\.metrics is .*: must be /),
      ]);
    },
  );

  it.each([
    ['trustedProxies: 1', /server\.trustedProxies is 1: must be a list/],
    ['trustedProxies: [10.0.0.1]', /trustedProxies\[0\] is "10\.0\.0\.1": must be a range .* ends with \/32/],
  ])('refuses %s', (line, rule) => {
    const problems = problemsOf(sample.replace(/trustedProxies: .*/, line));
    expect(problems).toEqual([expect.stringMatching(rule)]);
  });

  it('suggests the key of an article that was meant', () => {
    const problems = problemsOf(sample.replace('import:\n', 'import:\n  keys: { rubric: secton, mood: ignore }\n'));
    expect(problems).toEqual([
      expect.stringMatching(
        /import\.keys\.rubric is "secton": must be a key of an article, or ignore: did you mean section\?$/,
      ),
    ]);
  });

  it.each([
    ['hub: nobody', /hub is "nobody": must be self, or the http or https address of a hub/],
    ['hub: "https://hub.example.com/#x"', /must be self, or/],
    ['hub: https://user:word@hub.example.com/', /must hold no user name or password: it is published in every feed/],
    ['hub: http://127.0.0.1:8080/hub', /must be written as self/],
    ['hub: [self]', /hub is \["self"\]: must be text/],
  ])('refuses the hub "%s" and says what would be right', (hub, rule) => {
    const problems = problemsOf(sample.replace('hub: self', hub));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(rule);
    expect(problems[0]).toMatch(/^daywire\.yaml:\d+: hub/);
  });

  it('closes editions without approval unless told otherwise, and refuses other values', () => {
    const [newsletter] = parse(sample).newsletters;
    expect(newsletter).toMatchObject({ approval: 'auto', undoSeconds: 60 });
    const withKeys = (keys: string) => problemsOf(sample.replace('minimumStories: 3', keys));
    expect(withKeys('approval: required\n    undoSeconds: 0')).toEqual([]);
    expect(withKeys('approval: always')[0]).toMatch(/approval is "always".*auto.*required/);
    expect(withKeys('undoSeconds: 3601')[0]).toMatch(/undoSeconds is 3601: .*<=3600/);
  });

  const SPONSOR = 'sponsor: { text: A text, url: "https://example.com/" }';

  it('labels a sponsor, and shows nothing in addition unless told to', () => {
    const [newsletter] = parse(sample.replace('minimumStories: 3', SPONSOR)).newsletters;
    expect(newsletter).toMatchObject({
      sponsor: { label: 'Sponsored', text: 'A text', url: 'https://example.com/' },
      show: { contents: false, readingTime: false, thumbnails: false },
      newsHours: 24,
    });
  });

  it.each([
    [SPONSOR.replace('https:', 'javascript:'), /sponsor\.url is "javascript:.*": must be an http or https address/],
    [
      SPONSOR.replace(' }', ', image: { file: "https://example.com/a.png", alt: A } }'),
      /image\.file .*: must be a file in/,
    ],
    [SPONSOR.replace(' }', ', image: { file: ../a.png, alt: A } }'), /image\.file .*: must be a file in paths\.media/],
    [
      SPONSOR.replace(' }', ', image: { file: a/.b/c.png, alt: A } }'),
      /image\.file .*: must be a file in paths\.media/,
    ],
    ['newsHours: 745', /newsHours is 745/],
    ['show: { content: true }', /show\.content: there is no such key/],
  ])('refuses what an edition shows in "%s"', (keys, rule) => {
    const problems = problemsOf(sample.replace('minimumStories: 3', keys));
    expect(problems).toEqual([expect.stringMatching(rule)]);
  });

  it('takes a logo from the media folder or from an address, and needs that folder for the first', () => {
    const withLogo = (url: string) =>
      sample.replace('  contact: {', `  logo: { url: ${url}, width: 200 }\n  contact: {`);
    for (const url of ['brand/logo.png', 'https://cdn.example.com/logo.png'])
      expect(parse(withLogo(url)).publication.logo).toEqual({ url, width: 200 });
    expect(problemsOf(withLogo('/logo.png'))).toEqual([
      expect.stringMatching(/logo\.url is .*: must be a file in paths/),
    ]);
    const withoutMedia = (text: string) => text.replace(/ {2}media: .*\n/, '');
    expect(problemsOf(withoutMedia(withLogo('https://cdn.example.com/logo.png')))).toEqual([]);
    expect(problemsOf(withoutMedia(withLogo('logo.png')))).toEqual([
      expect.stringMatching(/logo\.url is "logo\.png": is a file in paths\.media, which is not set/),
    ]);
    const sponsor = SPONSOR.replace(' }', ', image: { file: a.png, alt: A } }');
    expect(problemsOf(withoutMedia(sample.replace('minimumStories: 3', sponsor)))).toEqual([
      expect.stringMatching(/image\.file is "a\.png": is a file in paths\.media, which is not set/),
    ]);
  });

  it('names line, key, value and rule of every problem at once', () => {
    const broken = sample
      .replace('zone: Asia/Shanghai', 'zone: Asia/Nowhere')
      .replace('30 7 * * *', '30 25 * * *')
      .replace('port: 8080', 'port: 99999')
      .replace('connections: 5', 'conections: 5');
    const problems = problemsOf(broken);
    expect(problems).toHaveLength(4);
    expect(problems.find((p) => p.includes('publication.zone'))).toMatch(
      /^daywire\.yaml:\d+: publication\.zone is "Asia\/Nowhere": must be an IANA time zone/,
    );
    expect(problems.find((p) => p.includes('cron'))).toMatch(
      /newsletters\[0\]\.schedule\.cron is "30 25 \* \* \*".*must be/,
    );
    expect(problems.find((p) => p.includes('port'))).toMatch(/server\.port is 99999/);
    expect(problems.find((p) => p.includes('conections'))).toMatch(/delivery\.conections: there is no such key/);
    const line = broken.split('\n').findIndex((text) => text.includes('Asia/Nowhere')) + 1;
    expect(problems.some((p) => p.startsWith(`daywire.yaml:${line}: `))).toBe(true);
  });

  it.each([
    ['two feeds of one id', (s: string) => s.replace('- id: 24-hours', '- id: latest'), /must be unique among feeds/],
    [
      'a feed of an unknown section',
      (s: string) => s.replace('sections: [world]', 'sections: [wolrd]'),
      /feeds\[\d\]\.select\.sections\[0\] is "wolrd": must be one of the sections: business-tech/,
    ],
    ['a colour that is none', (s: string) => s.replace('#9b1c1f', 'red'), /must be a colour such as #9b1c1f/],
    [
      'an accent that cannot be read on paper',
      (s: string) => s.replace('#9b1c1f', '#ffcc00'),
      /contrast of at least 4.5 on #fbfaf7.*it has 1\.\d/,
    ],
    [
      'a feed named like the list of feeds',
      (s: string) => s.replace('- id: latest', '- id: index'),
      /must not be "feeds"/,
    ],
    [
      'a feed named like the private feeds',
      (s: string) => s.replace('- id: latest', '- id: mine'),
      /feeds\[\d\]\.id is "mine": must not be .* "mine", the private feeds of subscribers/,
    ],
    ...['monthly-roundup', 'weekly-roundup'].map((daily): [string, (s: string) => string, RegExp] => [
      `a weekly of ${daily}, which is no other newsletter`,
      (s) => s.replace('- id: weekly-roundup', `- id: weekly-roundup\n    weeklyOf: ${daily}`),
      /newsletters\[1\]\.weeklyOf is ".*": must be the id of another roundup/,
    ]),
    [
      'a weekly of a weekly',
      (s: string) =>
        s
          .replace('- id: daily-roundup', '- id: daily-roundup\n    weeklyOf: weekly-roundup')
          .replace('- id: weekly-roundup', '- id: weekly-roundup\n    weeklyOf: daily-roundup'),
      /newsletters\[0\]\.weeklyOf is "weekly-roundup": must be the id of another roundup, which is no weekly itself/,
    ],
    [
      'choices of nothing',
      (s: string) => s.replace('- id: daily-roundup', '- id: daily-roundup\n    choices: {}'),
      /newsletters\[0\]\.choices is \{.*\}: must offer something to choose/,
    ],
    [
      'a topic without a letter or a digit',
      (s: string) => s.replace('- id: daily-roundup', '- id: daily-roundup\n    choices: { tags: ["&"] }'),
      /newsletters\[0\]\.choices\.tags\[0\] is "&": must have a letter or a digit/,
    ],
    ...['b%0d%0aBcc%3ax@example.com', 'b\\r\\nBcc: x@example.com'].map(
      (address): [string, (s: string) => string, RegExp] => [
        `the bounce address "${address}", which would add a line to List-Unsubscribe`,
        (s) => s.replace('# address: bounces@example.com', `address: "${address}"`),
        /bounces\.address is "b.*": Invalid email address/,
      ],
    ),
    [
      'a bounce address that leaves a token no room',
      (s: string) => s.replace('# address: bounces@', `address: ${'b'.repeat(24)}@`),
      /bounces\.address is "b+@example\.com": must have at most 23 characters before the @/,
    ],
    [
      'Amazon SES without the topics of its reports',
      (s: string) => s.replace('transport: file', 'transport: file\n  provider: ses'),
      /delivery\.ses is missing: must name the SNS topics of its reports/,
    ],
    [
      'keys of a mail provider that is not used',
      (s: string) => s.replace('transport: file', 'transport: file\n  postmark: { stream: news }'),
      /delivery\.postmark .*must be left out: delivery\.provider is none/,
    ],
    [
      'a topic that is no ARN',
      (s: string) => s.replace('transport: file', 'transport: file\n  provider: ses\n  ses: { topics: [mail-events] }'),
      /delivery\.ses\.topics\[0\] is "mail-events": must be the ARN of a topic/,
    ],
    [
      'an address of the machine that is none',
      (s: string) => s.replace('transport: file', 'transport: file\n  addresses: [192.0.2.300]'),
      /delivery\.addresses\[0\] is "192\.0\.2\.300": must be an IP address/,
    ],
    [
      'an imprint that is neither a Markdown file nor an address',
      (s: string) => s.replace('imprint: sample/imprint.md', 'imprint: imprint.pdf'),
      /publication\.imprint is "imprint\.pdf": must be a Markdown file such as texts\/imprint\.md/,
    ],
    ['a tag authority without a date', (s: string) => s.replace('example.com,2026', 'example.com'), /RFC 4151/],
    [
      'a public address that holds a login',
      (s: string) => s.replace('url: http://127.0.0.1:8080', 'url: https://user:pw@wire.example.com'),
      /publication\.url .*must be an address without a login/,
    ],
    [
      'a public address that nothing can follow',
      (s: string) => s.replace('url: http://127.0.0.1:8080', 'url: https://wire.example.com/?a=b'),
      /publication\.url .*without a login, "\?" or "#"/,
    ],
    [
      'a list that is none',
      (s: string) => s.replace(/sections:\n(?: {2}- .*\n)+/, 'sections: all\n'),
      /sections is "all": must be a list/,
    ],
    [
      'a list that is too long',
      (s: string) => s.replace('template: daily-roundup', `$&\n    choices: { tags: [${'a, '.repeat(51)}] }`),
      /choices\.tags is .*: must have at most 50 values$/,
    ],
    [
      'an alias that leads nowhere',
      (s: string) => s.replace('host: 127.0.0.1', 'host: *nowhere'),
      /^daywire\.yaml: Unresolved alias/,
    ],
    [
      'aliases that unfold to far too much',
      () =>
        `a: &a [x, x, x]\n${'bcdefghij'.replace(
          /./g,
          (k) =>
            `${k}: &${k} [${Array(9)
              .fill(`*${String.fromCharCode(k.charCodeAt(0) - 1)}`)
              .join()}]\n`,
        )}`,
      /^daywire\.yaml: Excessive alias count/,
    ],
    ['YAML that is none', (s: string) => s.replace('publication:', 'publication: ['), /^daywire\.yaml:\d+: /],
  ])('refuses %s, and says what would be right', (_, breakIt, rule) => {
    expect(problemsOf(breakIt(sample)).join('\n')).toMatch(rule);
  });

  it('names a missing file and the command that creates one', () => {
    expect(() => loadConfig('nowhere.yaml', {}, root)).toThrow(
      /nowhere\.yaml: cannot be read \(ENOENT\).*daywire init/,
    );
  });

  it('throws nothing but ConfigError, for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        expect(() => parse(text)).toThrow(ConfigError);
      }),
    );
  });
});

describe('secrets', () => {
  it('come from the environment', () => {
    const config = parse(sample, { DAYWIRE_SMTP_URL: 'smtps://user:p%40ss@mail.example.com' });
    expect(config.secrets.smtpUrl).toBe('smtps://user:p%40ss@mail.example.com');
  });

  it('come from the file that NAME_FILE points at', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'secret'), `${'s'.repeat(40)}\n`);
    expect(parse(sample, { DAYWIRE_SECRET_FILE: join(folder, 'secret') }).secrets.signingSecret).toBe('s'.repeat(40));
  });

  it('are named but never printed when they are invalid', () => {
    const problems = problemsOf(sample, {
      DAYWIRE_SECRET: 'too-short-to-sign',
      DAYWIRE_DATABASE_URL: 'mysql://u:hidden@h',
    });
    expect(problems.join('\n')).toMatch(/DAYWIRE_SECRET must be at least 32 characters/);
    expect(problems.join('\n')).toMatch(/DAYWIRE_DATABASE_URL must be a postgres:\/\/ URL/);
    expect(problems.join('\n')).not.toMatch(/too-short-to-sign|hidden/);
  });

  it('are refused in the YAML file, and never printed', () => {
    const smtp = 'transport: smtp\n  smtpUrl: smtp://user:hunter2@mail.example.com';
    const problems = problemsOf(sample.replace('transport: file', smtp));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^daywire\.yaml:\d+: delivery\.smtpUrl is not shown: must not contain a password/);
    expect(problems[0]).not.toMatch(/hunter2/);
  });

  it('are never printed from the YAML file, whatever else is wrong with the URL', () => {
    const smtp = 'transport: smtp\n  smtpUrl: http://user:hunter2@mail.example.com';
    const problems = problemsOf(sample.replace('transport: file', smtp));
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).toMatch(/delivery\.smtpUrl is not shown/);
    expect(problems.join('\n')).not.toMatch(/hunter2/);
  });

  it('are refused when both the variable and its file are set', () => {
    const env = { DAYWIRE_SECRET: 's'.repeat(40), DAYWIRE_SECRET_FILE: '/nowhere' };
    expect(problemsOf(sample, env)).toEqual(['DAYWIRE_SECRET and DAYWIRE_SECRET_FILE are both set: keep one']);
  });

  it('name the file that cannot be read', () => {
    expect(problemsOf(sample, { DAYWIRE_SMTP_URL_FILE: '/nowhere/at/all' })).toEqual([
      'DAYWIRE_SMTP_URL_FILE is /nowhere/at/all: cannot be read (ENOENT)',
    ]);
  });
});

describe('the JSON Schema beside the configuration', () => {
  it('is up to date with the code; "npm run schema" writes it', () => {
    const file = JSON.parse(readFileSync(join(root, 'config/daywire.schema.json'), 'utf8')) as object;
    expect(file).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
  });
});

function parse(text: string, env: NodeJS.ProcessEnv = {}): Config {
  return parseConfig(text, { file: 'daywire.yaml', env, cwd: '/srv/newsroom' });
}

function problemsOf(text: string, env: NodeJS.ProcessEnv = {}): string[] {
  try {
    parse(text, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
