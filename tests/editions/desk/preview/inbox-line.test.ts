import { describe, expect, it } from 'vitest';
import { countLine, inboxLine, PHONE_SUBJECT } from '../../../../src/editions/desk/preview/inbox-line.ts';

describe('the line of an inbox', () => {
  it('shows short texts whole', () => {
    const texts = { subject: 'Chips return', preheader: 'Shipments rose.' };
    expect([inboxLine('phone', texts), inboxLine('desktop', texts)]).toEqual([texts, texts]);
  });

  it('cuts long ones between words, and gives the preheader what the subject leaves of a wide line', () => {
    const texts = { subject: 'word '.repeat(16).trim(), preheader: 'more '.repeat(40).trim() };
    expect(inboxLine('phone', texts).subject).toMatch(/^word(?: word){11}…$/);
    expect(inboxLine('desktop', texts).subject).toBe(texts.subject);
    expect(inboxLine('desktop', texts).preheader).toMatch(/^more(?: more){7}…$/);
  });

  it('counts what people see as one character', () => {
    expect(countLine('👩‍🚀', PHONE_SUBJECT)).toBe('1 character; phones show about 60');
  });
});
