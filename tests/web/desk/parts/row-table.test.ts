import { html } from 'hono/html';
import { describe, expect, it } from 'vitest';
import { rowTable } from '../../../../src/web/desk/parts/row-table.ts';

describe('a table of rows', () => {
  it('names each cell by its column, for phones, where the row is a block', async () => {
    const columns = [{ label: 'Who' }, { label: 'Messages', isNumber: true }];
    const rows = [{ id: 'row-1', isFocusable: true, cells: [html`<bdi>Ada</bdi>`, 7] }, { cells: ['<b>', ''] }];
    const table = String(await rowTable('People', columns, rows));
    expect(table).toContain('role="group" aria-label="People"');
    expect(table).toContain(
      '<tr id="row-1" data-row tabindex="-1"><th scope="row"><bdi>Ada</bdi></th>' +
        '<td data-label="Messages" class="num">7</td></tr>',
    );
    expect(table).toContain('<tr><th scope="row">&lt;b&gt;</th><td data-label="Messages" class="num"></td></tr>');
  });
});
