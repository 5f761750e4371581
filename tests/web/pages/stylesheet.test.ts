import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openTestSite } from '../../app/test-site.ts';
import { openMigrated } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

it('the stylesheet is served without comments and needless spaces, and its strings stay as they are', async () => {
  const templates = temporaryFolder();
  mkdirSync(join(templates, 'pages'));
  const written = `/* It's "own". */
@media (min-width: 48rem) and (max-width: 62rem) {
  .a > .b, .c :is(h2, h3) + p { margin: calc(1px + 2px) auto; }  /* a; } */
}
.d { }
.e::before { content: ' /* no  comment: */ ; } '; font: 1rem "A  {, B\\" ; }"; }
`;
  writeFileSync(join(templates, 'pages/style.css.liquid'), written);
  const sample = sampleConfig();
  const store = await openMigrated();
  const site = openTestSite(store, { ...sample, paths: { ...sample.paths, templates } });
  expect((await site.read('/style.css')).trim()).toBe(
    '@media (min-width:48rem) and (max-width:62rem){.a > .b,.c :is(h2,h3) + p{margin:calc(1px + 2px) auto}}.d{}' +
      `.e::before{content:' /* no  comment: */ ; } ';font:1rem "A  {, B\\" ; }"}`,
  );
  await store.close();
});
