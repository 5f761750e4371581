import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkPages } from '../../../src/app/templates/page-problems.ts';
import { openMigrated } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { article, NOW, save } from '../test-site.ts';

async function problemsOf(files: Record<string, string>): Promise<string[]> {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, 'pages'), { recursive: true });
    writeFileSync(join(folder, 'pages', name), text);
  }
  const sample = sampleConfig();
  const config = { ...sample, paths: { ...sample.paths, templates: folder } };
  const store = await openMigrated();
  await save(store, article('one'));
  return (await checkPages(config, store, NOW)).map(({ message }) => message);
}

it('finds nothing without own templates of pages, nor with one that works', async () => {
  expect(await problemsOf({})).toEqual([]);
  expect(
    await problemsOf({ 'article.liquid': "{% layout 'pages/layout' %}{% block content %}A{% endblock %}" }),
  ).toEqual([]);
});

it('names the page that a template of an earlier version breaks, and why', async () => {
  const front = "{% layout 'pages/layout' %}{% block content %}{{ latest.size }}{% endblock %}";
  expect(await problemsOf({ 'front.liquid': front })).toEqual([
    expect.stringMatching(
      /^templates: http:\/\/127\.0\.0\.1:8080\/ cannot be shown with your own .*: undefined variable: latest/,
    ),
  ]);
});

it('names every page if it is the layout', async () => {
  const problems = await problemsOf({ 'layout.liquid': '{{ page.publishedAt }}' });
  expect(problems.length).toBeGreaterThan(4);
  expect(problems.filter((text) => text.includes('/articles/one cannot'))).toHaveLength(1);
});
