import { expect, it } from 'vitest';
import { preheaderTexts } from '../../src/editions/build-view.ts';
import { SAMPLE_VIEW } from './rendering/sample-view.ts';

it('takes the first paragraph of the lead that is no heading', () => {
  const paragraph = (html: string) => ({ html, text: html.replace(/<[^>]*>/g, '') });
  const paragraphs = ['<strong>Background</strong>', '<strong>Who</strong> paid, and <strong>how</strong>'].map(
    paragraph,
  );
  const { lead } = SAMPLE_VIEW;
  const view = { ...SAMPLE_VIEW, lead: lead && { ...lead, dek: null, paragraphs } };
  const texts = preheaderTexts({ description: 'A roundup' } as Parameters<typeof preheaderTexts>[0], null, view);
  expect(texts.map(({ text }) => text).filter((text) => text !== null)[0]).toBe('Who paid, and how');
});
