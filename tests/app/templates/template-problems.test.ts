import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { templateProblems } from '../../../src/app/templates/template-problems.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { NOW } from '../../support/clock.ts';
import { ROOT, sampleConfig } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const config = sampleConfig();

function newsroomTemplates(files: Record<string, string>) {
  const folder = temporaryFolder();
  for (const name of ['pages', 'mail']) mkdirSync(join(folder, name));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return openTemplates(folder, config.publication.zone);
}

it('renders every template of a page or message, and finds nothing wrong with the built-in ones', async () => {
  const templates = newsroomTemplates({});
  const rendered = new Set<string>();
  const record = (name: string): string => {
    rendered.add(name);
    return name;
  };
  const recording = {
    ...templates,
    html: (name: string, data: object) => templates.html(record(name), data),
    text: (name: string, data: object) => templates.text(record(name), data),
  };
  expect(await templateProblems(config, recording, NOW)).toEqual([]);
  // Included by others.
  const parts = /^(pages\/layout\.|mail\/(frame|button|footer|newsletters)\.)/;
  const used = ['pages', 'mail'].flatMap((folder) =>
    readdirSync(join(ROOT, 'templates', folder))
      .map((name) => `${folder}/${name}`)
      .filter((name) => name.endsWith('.liquid') && !parts.test(name)),
  );
  expect(used.length).toBeGreaterThan(20);
  expect(used.filter((name) => !rendered.has(name))).toEqual([]);
});

it('names a copy of an earlier version of a list, whose parts or variables are gone', async () => {
  const templates = newsroomTemplates({
    'pages/stream.liquid':
      "{% render 'pages/parts/stream', stream: stream, base: base, level: 2, lang: site.language %}",
    'pages/archive-month.liquid':
      '{% for day in days %}{% for story in day.stories %}{{ story.headline }}{% endfor %}{% endfor %}',
  });
  expect(await templateProblems(config, templates, NOW)).toEqual([
    expect.stringMatching(/^templates: page \/: ENOENT: .*pages\/parts\/stream/),
    expect.stringMatching(/^templates: page \/archive\/:month: undefined variable: story.headline, line:1/),
  ]);
});

it('names an email that lacks the link to the imprint', async () => {
  const templates = newsroomTemplates({
    'mail/footer.txt.liquid': '{{ site.postalAddress }}',
    'daily-roundup.txt': 'Unsubscribe: {{ placeholders.unsubscribe }}',
  });
  const missing = 'has no link to the imprint: add {{ site.imprint.url }}';
  const problems = await templateProblems(config, templates, NOW);
  expect(problems).toContain(`newsletters daily-roundup: template daily-roundup: daily-roundup.txt ${missing}`);
  for (const kind of ['confirm', 'already', 'preferences', 'export', 'erase']) {
    expect(problems).toContain(`templates: mail/${kind}: mail/${kind}.txt.liquid ${missing}`);
  }
});

it('names a page, a message and an edition that cannot be rendered, or do not work', async () => {
  const templates = newsroomTemplates({
    'pages/section.liquid': '{{ no.such.variable }}',
    // As in a version that unsubscribed by any POST.
    'pages/unsubscribe.liquid': '<form method="post"><button type="submit">Unsubscribe</button></form>',
    'pages/links.liquid': '{% if kind == "act-over" %}{{ nothing }}{% endif %}',
    'mail/confirm.html.liquid': '<p>Please confirm.</p>',
    'mail/erase.txt.liquid': '{{ nothing }}',
    'daily-roundup.mjml': '<mjml><mj-body><mj-nothing/></mj-body></mjml>',
  });
  expect(await templateProblems(config, templates, NOW)).toEqual([
    expect.stringMatching(/^newsletters daily-roundup: template daily-roundup: .*mj-nothing/),
    'templates: mail/confirm: mail/confirm.html.liquid has no link: add {{ link }}',
    expect.stringMatching(/^templates: mail\/erase: undefined variable: nothing, line:1/),
    expect.stringMatching(/^templates: page \/sections\/:id: undefined variable: no, line:1/),
    'templates: page /unsubscribe/:token: its form lacks the field "unsubscribe" and is refused: ' +
      'add <input type="hidden" name="unsubscribe" value="yes">',
    expect.stringMatching(/^templates: page \/account\/erase\/:token: undefined variable: nothing, line:1/),
  ]);
});
