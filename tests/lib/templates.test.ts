import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTemplates } from '../../src/lib/templates.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** What the newsroom's own template renders. @throws as `Templates.text` does */
async function render(template: string): Promise<string> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'own.txt'), template);
  return openTemplates(folder, 'UTC').text('own.txt', {}, 'en');
}

describe('a template that would take all memory', () => {
  const grow =
    "{% assign s = 'xxxxxxxxxxxxxxxx' %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}{{ s }}";
  it.each([
    ['{% for i in (1..100000000) %}{% for j in (1..100000000) %}x{% endfor %}{% endfor %}', /memory alloc limit/],
    [grow, /memory alloc limit/],
    ["{{ 'now' | date: '%999999999d' }}", /memory alloc limit/],
    [`{% capture s %}${'x'.repeat(900_000)}{% endcapture %}{% for i in (1..30) %}{{ s }}{% endfor %}`, /more than/],
    ['x'.repeat(1_000_001), /parse length limit/],
  ])('fails, and names its file: %.60s', async (template, reason) => {
    const error = await render(template).then(
      () => null,
      (thrown: Error) => thrown.message,
    );
    expect(error).toMatch(reason);
    expect(error).toContain('own.txt');
  });

  it('is none that loops over ten thousand stories', async () => {
    expect(await render("{% for i in (1..10000) %}{{ i | append: ' ' | upcase }}{% endfor %}")).toMatch(
      /^1 2 .* 10000 $/,
    );
  });
});
