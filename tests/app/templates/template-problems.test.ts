import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkTemplates } from '../../../src/app/templates/template-problems.ts';
import { BUILT_IN_TEMPLATES, openTemplates } from '../../../src/lib/templates.ts';
import { NOW } from '../../support/clock.ts';
import { sampleConfig } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const config = sampleConfig();

function newsroomTemplates(files: Record<string, string>) {
  const folder = temporaryFolder();
  for (const name of ['pages', 'mail', 'daily-roundup']) mkdirSync(join(folder, name));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return openTemplates(folder, config.publication.zone);
}

async function problemsOf(files: Record<string, string>): Promise<string[]> {
  const findings = await checkTemplates(config, newsroomTemplates(files), NOW);
  return findings.flatMap(({ kind, message }) => (kind === 'problem' ? [message] : []));
}

it('finds nothing wrong with the built-in templates', async () => {
  expect(await problemsOf({})).toEqual([]);
});

it('names a copy of an earlier version, whose parts are gone', async () => {
  const text = "{% render 'pages/parts/stream', stream: stream, base: base %}";
  expect(await problemsOf({ 'pages/stream.liquid': text })).toEqual([
    expect.stringMatching(/^templates: ENOENT: .*pages\/parts\/stream/),
  ]);
});

it('names an email that lacks the link to the imprint', async () => {
  const problems = await problemsOf({
    'mail/footer.txt.liquid': '{{ site.postalAddress }}',
    'daily-roundup.txt': 'Unsubscribe: {{ placeholders.unsubscribe }}',
  });
  const missing = 'has no link to the imprint: add {{ site.imprint.url }}';
  expect(problems).toContain(`newsletters daily-roundup: template daily-roundup: daily-roundup.txt ${missing}`);
  for (const kind of ['confirm', 'already', 'preferences', 'export', 'erase']) {
    expect(problems).toContain(`templates: mail/${kind}: mail/${kind}.txt.liquid ${missing}`);
  }
});

it('names a message and an edition that cannot be rendered, or do not work', async () => {
  const files = {
    'mail/confirm.html.liquid': '<p>Please confirm.</p>',
    'mail/erase.txt.liquid': '{{ nothing }}',
    'daily-roundup.mjml': '<mjml><mj-body><mj-nothing/></mj-body></mjml>',
  };
  expect(await problemsOf(files)).toEqual([
    expect.stringMatching(/^newsletters daily-roundup: template daily-roundup: .*mj-nothing/),
    'templates: mail/confirm: mail/confirm.html.liquid has no link: add {{ link }}',
    expect.stringMatching(/^templates: mail\/erase: undefined variable: nothing, line:1/),
  ]);
});

// Contents and the rules between stories still have segments of each story.
const UNMARKED_STORY = readFileSync(join(BUILT_IN_TEMPLATES, 'daily-roundup/story.mjml'), 'utf8')
  .replace('{% segment any: story %}', '')
  .replace('{% endsegment %}', '');

it.each([
  ['.txt', 'daily-roundup.txt', 'To {{ placeholders.unsubscribe }}: {{ edition.headline }} {{ site.imprint.url }}'],
  ['.mjml', 'daily-roundup/story.mjml', UNMARKED_STORY],
])('names a %s template that marks no stories, for a newsletter with choices', async (kind, file, text) => {
  const [first, ...others] = config.newsletters;
  const choices = { sections: true, tags: [], reporters: false };
  const templates = newsroomTemplates({ [file]: text });
  const findings = await checkTemplates(
    { ...config, newsletters: [{ ...first, choices }, ...others] } as never,
    templates,
    NOW,
  );
  expect(findings.map(({ message }) => message)).toEqual([
    expect.stringContaining(
      `newsletters daily-roundup: template daily-roundup: the ${kind} template shows stories outside`,
    ),
  ]);
});
