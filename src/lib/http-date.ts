/** The dates of HTTP headers, in the three formats of RFC 9110 §5.6.7. */
const IMF_FIXDATE = /^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d:\d\d) GMT$/;
const RFC_850 = /^[A-Z][a-z]{5,8}, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d:\d\d:\d\d) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d) (\d{4})$/;

/** Epoch milliseconds, or null for a text of any other format. */
export function parseHttpDate(text: string): number | null {
  let match = IMF_FIXDATE.exec(text);
  if (match !== null) return instantOf(match[1], match[2], match[3], match[4]);
  match = RFC_850.exec(text);
  // Years below 70 are of this century: the format has two digits.
  if (match !== null) return instantOf(match[1], match[2], `${Number(match[3]) < 70 ? 20 : 19}${match[3]}`, match[4]);
  match = ASCTIME.exec(text);
  if (match !== null) return instantOf(match[2]?.trim().padStart(2, '0'), match[1], match[4], match[3]);
  return null;
}

function instantOf(day = '', month = '', year = '', time = ''): number | null {
  const parsed = Date.parse(`${day} ${month} ${year} ${time} GMT`);
  return Number.isNaN(parsed) ? null : parsed;
}
