import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countLine,
  inboxLines,
  PHONE_PREHEADER,
  PHONE_SUBJECT,
} from '../../../../src/editions/desk/preview/preview-region.ts';
import { graphemeCount } from '../../../../src/editions/rendering/shorten.ts';
import { anyText } from '../../../support/any-text.ts';

describe('the line of an inbox', () => {
  it('shows short texts whole', () => {
    const texts = { subject: 'Chips return', preheader: 'Shipments rose.' };
    expect(inboxLines(texts)).toEqual([
      { place: 'phone', ...texts },
      { place: 'desktop', ...texts },
    ]);
  });

  it('cuts long ones between words, and gives the preheader what the subject leaves of a wide line', () => {
    const [phone, desktop] = inboxLines({ subject: 'word '.repeat(16).trim(), preheader: 'more '.repeat(40).trim() });
    expect(phone?.subject).toMatch(/^word(?: word){11}…$/);
    expect(desktop?.subject).toBe('word '.repeat(16).trim());
    expect(desktop?.preheader).toMatch(/^more(?: more){7}…$/);
  });

  it('counts what people see as one character', () => {
    expect(countLine('👩‍🚀', PHONE_SUBJECT)).toBe('1 character; phones show about 60');
  });

  it('never shows more than fits', () => {
    fc.assert(
      fc.property(anyText(200), anyText(200), (subject, preheader) => {
        const [phone, desktop] = inboxLines({ subject, preheader });
        expect(graphemeCount(phone?.subject ?? '')).toBeLessThanOrEqual(PHONE_SUBJECT);
        expect(graphemeCount(phone?.preheader ?? '')).toBeLessThanOrEqual(PHONE_PREHEADER);
        expect(graphemeCount(desktop?.subject ?? '') + graphemeCount(desktop?.preheader ?? '')).toBeLessThanOrEqual(
          120,
        );
      }),
    );
  });
});
