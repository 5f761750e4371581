import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import { openTemplates, type Templates } from '../../../src/lib/templates.ts';
import { article, openTestSite, save } from '../../app/test-site.ts';
import { openMigrated } from '../../support/databases.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('parts that many pages have alike', () => {
  let store: Store;
  beforeEach(async () => {
    store = await openMigrated();
    await save(store, article('one'), article('two'));
  });

  it('are rendered once: the links of each feed, and the form to subscribe', async () => {
    const templates = openTemplates(temporaryFolder(), 'Asia/Shanghai');
    const rendered: string[] = [];
    const recording: Templates = {
      ...templates,
      html: (name, data, language) => {
        rendered.push(name);
        return templates.html(name, data, language);
      },
    };
    const site = openTestSite(store, undefined, { templates: recording });
    const first = await site.read('/articles/one');
    expect(first).toContain('<form class="form short"');
    expect(rendered.filter((name) => name.endsWith('/alternates.liquid')).length).toBeGreaterThan(1);
    rendered.length = 0;
    expect((await site.read('/articles/two')).match(/rel="alternate"/g)).toEqual(first.match(/rel="alternate"/g));
    expect(rendered).toEqual(['pages/article.liquid']);
  });

  it('are rendered again after a template was corrected', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'pages/parts/subscribe-short.liquid');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '{{ nothing }}');
    const templates = openTemplates(folder, 'Asia/Shanghai');
    const site = openTestSite(store, undefined, { templates });
    expect((await site.get('/articles/one')).status).toBe(500);
    writeFileSync(file, '<p>Join {{ form.choices.size }}</p>');
    expect(await site.read('/articles/one')).toContain('<p>Join ');
  });
});
