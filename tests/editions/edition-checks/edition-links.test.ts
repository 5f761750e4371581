import { describe, expect, it } from 'vitest';
import { listLinks } from '../../../src/editions/edition-checks/edition-links.ts';
import type { Story } from '../../../src/editions/rendering/edition-view.ts';
import { SAMPLE_VIEW } from '../rendering/sample-view.ts';

const lead: Story = {
  ...(SAMPLE_VIEW.lead as Story),
  paragraphs: [{ html: 'See <a href="https://example.com/a?b=1&amp;c=2#part">it</a>.', text: 'See it.' }],
};
const view = { ...SAMPLE_VIEW, lead };

describe('the links of an edition', () => {
  it('are listed once each, without fragment, with the story that has them', () => {
    const hrefs = [lead.url, 'https://example.com/a?b=1&c=2#part', 'https://example.com/a?b=1&c=2', `${lead.url}#top`];
    expect(listLinks(view, hrefs)).toMatchObject([
      { url: lead.url, place: { block: 'lead', articleId: lead.articleId } },
      { url: 'https://example.com/a?b=1&c=2', place: { block: 'lead' } },
    ]);
  });

  it('include those of the note and the sponsor, which belong to no story', () => {
    expect(listLinks(view, ['https://sponsor.example'])).toEqual([{ url: 'https://sponsor.example/', place: null }]);
  });

  it('do not include those that every edition has, nor what is no address of the web', () => {
    const { archive, feeds } = view.links;
    expect(
      listLinks(view, [archive, feeds, 'mailto:a@example.com', '%%0:unsubscribe%%', '/x', 'javascript:x']),
    ).toEqual([]);
  });

  it('are limited in number', () => {
    const many = Array.from({ length: 3_000 }, (_, n) => `https://example.com/${n}`);
    expect(listLinks(view, many)).toHaveLength(500);
  });
});
