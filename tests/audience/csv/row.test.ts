import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRecords } from '../../../src/audience/csv/records.ts';
import { csvField, unguard } from '../../../src/audience/csv/row.ts';
import { runs } from '../../support/run-scope.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const STARTS = ['=', '+', '-', '@', '\t', '\r', "'", "''", '"', ' ', '\n', ',', ''];

describe('the fields of a CSV file', () => {
  it.each(['=1+1', '+1', '-1', '@sum', '\t=1', '\r=1', "'=1", "'"])(
    'are guarded by one apostrophe where they start as %j, which an import removes',
    (field) => {
      expect(csvField(field).replace(/^"/, '')).toMatch(/^'/);
      expect(unguard(`'${field}`)).toBe(field);
    },
  );

  it('are read as they were written, whatever they contain', async () => {
    const file = join(temporaryFolder(), 'fields.csv');
    const field = fc.tuple(fc.constantFrom(...STARTS), fc.string({ unit: 'binary' })).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 50 }), async (rows) => {
        const lines = rows.map((row) => ['row', ...row].map(csvField).join(','));
        writeFileSync(file, `id,one,two\n${lines.join('\n')}\n`);
        const read: string[][] = [];
        for await (const records of readRecords(file)) read.push(...records.map(({ fields }) => fields.map(unguard)));
        expect(read).toEqual([['id', 'one', 'two'], ...rows.map((row) => ['row', ...row])]);
      }),
      { numRuns: runs(40) },
    );
  });
});
