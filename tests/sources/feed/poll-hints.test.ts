import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { NO_HINTS, type PollHints } from '../../../src/sources/feed/poll-hints.ts';
import { anyText } from '../../support/any-text.ts';
import { readFeed } from './read-feed.ts';

const SY = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"';
const rss = (head: string): PollHints =>
  readFeed(`<rss version="2.0" ${SY}><channel><title>Times</title>${head}</channel></rss>`).hints;
const hours = (...list: (string | number)[]): string =>
  `<skipHours>${list.map((hour) => `<hour>${hour}</hour>`).join('')}</skipHours>`;
const days = (...list: string[]): string => `<skipDays>${list.map((day) => `<day>${day}</day>`).join('')}</skipDays>`;

describe('the hints of a feed', () => {
  it('are those of RSS 2.0', () => {
    const head = `<ttl>90</ttl>${hours(3, 1, 2, 3)}${days('Sunday', 'Saturday')}`;
    expect(rss(head)).toEqual({ intervalMs: 90 * MINUTE, skipHours: [1, 2, 3], skipDays: [0, 6] });
  });

  it('are those of the syndication module, in RSS, RDF and Atom', () => {
    const module = '<sy:updatePeriod> daily </sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>';
    const rdf = `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" ${SY}>
      <channel rdf:about="https://a.example.com/"><title>Times</title>${module}</channel></rdf:RDF>`;
    const atom = `<feed xmlns="http://www.w3.org/2005/Atom" ${SY}><title>Times</title>${module}</feed>`;
    expect(rss(module).intervalMs).toBe(6 * HOUR);
    expect(readFeed(rdf).hints).toEqual({ ...NO_HINTS, intervalMs: 6 * HOUR });
    expect(readFeed(atom).hints).toEqual({ ...NO_HINTS, intervalMs: 6 * HOUR });
    expect(rss('<sy:updatePeriod>hourly</sy:updatePeriod>').intervalMs).toBe(HOUR);
    expect(rss('<sy:updateFrequency>2</sy:updateFrequency>').intervalMs).toBe(DAY / 2);
  });

  it('name the longer of the two intervals', () => {
    expect(rss('<ttl>30</ttl><sy:updatePeriod>hourly</sy:updatePeriod>').intervalMs).toBe(HOUR);
    expect(rss('<ttl>90</ttl><sy:updatePeriod>hourly</sy:updatePeriod>').intervalMs).toBe(90 * MINUTE);
  });

  it('take midnight as 0 and as 24', () => {
    expect(rss(hours(0)).skipHours).toEqual([0]);
    expect(rss(hours(24)).skipHours).toEqual([0]);
  });

  it('are none where the values are none', () => {
    for (const ttl of ['0', '-5', '1e9', '', 'often', '5 minutes', '9'.repeat(10)]) {
      expect(rss(`<ttl>${ttl}</ttl>`)).toEqual(NO_HINTS);
    }
    expect(rss('<sy:updatePeriod>fortnightly</sy:updatePeriod>')).toEqual(NO_HINTS);
    expect(rss(hours(25, -1, '', 'noon', '1.5'))).toEqual(NO_HINTS);
    expect(rss(days('Someday', 'Mon'))).toEqual(NO_HINTS);
  });

  it('do not skip the whole day or week', () => {
    expect(rss(hours(...Array(24).keys()))).toEqual(NO_HINTS);
    const week = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
    expect(rss(days(...week))).toEqual(NO_HINTS);
  });

  it('are bounded whatever the feed says', () => {
    const text = fc.oneof(
      anyText(20),
      fc.nat().map(String),
      fc.constantFrom('hourly', 'yearly', 'Monday', '999999999'),
    );
    fc.assert(
      fc.property(text, text, text, fc.array(text, { maxLength: 200 }), (ttl, period, frequency, list) => {
        const written = [ttl, period, frequency, ...list].map((one) => one.replace(/[<&\u0000-\u001f]/g, ''));
        const [a, b, c, ...rest] = written as [string, string, string, ...string[]];
        const hints = rss(
          `<ttl>${a}</ttl><sy:updatePeriod>${b}</sy:updatePeriod><sy:updateFrequency>${c}</sy:updateFrequency>` +
            `${hours(...rest)}${days(...rest)}`,
        );
        if (hints.intervalMs !== null) {
          expect(hints.intervalMs).toBeGreaterThanOrEqual(0);
          expect(hints.intervalMs).toBeLessThanOrEqual(365 * DAY);
        }
        expect(hints.skipHours.length).toBeLessThan(24);
        expect(hints.skipDays.length).toBeLessThan(7);
      }),
      { numRuns: 50 },
    );
  });
});
