/** One item as an input of the import of articles, with a rejection of its own. */
import type { ImportFile } from '../articles/import/import-files.ts';
import { MAX_RECORD_BYTES, type SourceRecord } from '../articles/import/json-lines.ts';
import { sourceOrigin } from '../articles/import/origin.ts';
import type { ArticleRecord } from './article-record.ts';

/** The place of an item, as rejections name it. */
export function itemPath(sourceId: string, key: string): string {
  return `${sourceId}/${key}`;
}

export function itemFile(sourceId: string, key: string, content: SourceRecord['content']): ImportFile {
  const path = itemPath(sourceId, key);
  const bytes = content.kind === 'text' ? content.text.length : 0;
  const records = async function* (): AsyncGenerator<SourceRecord> {
    yield { line: null, readTo: bytes, content };
  };
  const origin = sourceOrigin(sourceId);
  return { path, name: path, origin, format: 'jsonl', bytes, fingerprint: '', modifiedAt: null, records };
}

export function recordContent(record: ArticleRecord, headline: string): SourceRecord['content'] {
  const text = JSON.stringify(record);
  if (text.length <= MAX_RECORD_BYTES) return { kind: 'text', text };
  return { kind: 'unusable', rule: 'the post is longer than 8 MB', raw: headline };
}
