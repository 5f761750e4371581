import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MIGRATIONS } from '../../../src/core/store/migrations.ts';

const FOLDER = join(import.meta.dirname, '../../../src/core/store/migrations');

/** SHA-256 of the files of each migration. A database that had one before would not get what is changed here. */
const LANDED: Record<string, string> = {
  '0001-initial': 'c832fc88ce9d4ba237c5861b540759b0c24f62533830a7126d3a90a5ca4053cc',
  '0002-import-runs': '489ad17a10db967cb94f6f77a9704b85e371214063652fd574dbc20da6f3d857',
  '0003-source-item-keys': 'fc554193253f68b741ff70d9d92b6d690981f1fce09eafc65d6cf24bbe822eac',
  '0004-roundup-ranking': '6743956eacfbbe1f058dfedcca9c1683915a8c84609deed781450904021790b3',
  '0005-stopped-processes': '56fc0397772f8f9f5e9120c2c9e91af7a895f08ec06b44538be20422ba14ce56',
  '0006-second-factors': '6006913053dc4d13070242d9013a447ec8139c323917e61530842e102fc18a5a',
  '0007-article-languages': '7e5c3a188fc8bb1d222f30c98bbbd1bec4bfe81a58797c9965c85969436f287a',
  '0008-full-text-search': '2f139325b2b394e1d071036c87eb80c356afe4331367d9b7c550f14754614992',
  '0009-article-pages': '7f975aa3d92330a60553d416f1ef5fd9d067a729cb5fdf9d7baac762e4b0271e',
  '0010-choices': '17929a27bb35b9781dcecb6b477f1ba4250879a2c0d09339f60bc7108a04a5ff',
  '0011-provider-holds': '97d0a9eec79f5bf08fddfe4f08ade18c8ab010ce6cecf6e5a4e627b19d8d5e44',
  '0012-blanked-reasons': '6d1573560c90306b7c4f355cb29d94025f873189c9967762a91dc4509f63d54c',
  '0013-keys-of-posts': 'de4b17d799c8366c46690ea7afb603c0d78e39102050842c6e758656ec127abf',
  '0014-no-feed-archives': '78ca1a05d3e7d5bf1bc5f81f0ea93748fa023e7552470a2ff5d3eb312c31bb38',
};

it('never changes a migration that has landed: a later one changes the schema', () => {
  const hashes = Object.keys(MIGRATIONS).map((name) => {
    const files = globSync(['column-types.ts', `${name}.ts`, `${name}/*.ts`], { cwd: FOLDER }).sort();
    const hash = createHash('sha256');
    for (const file of files) hash.update(`${file}\n${readFileSync(join(FOLDER, file), 'utf8')}`);
    return [name, hash.digest('hex')];
  });
  expect(hashes).not.toEqual([]);
  expect(Object.fromEntries(hashes)).toEqual(LANDED);
});
