/**
 * Arbitrary text, including control characters and lone surrogates.
 */
import fc from 'fast-check';

// Half of it below U+0100, where most special characters are. fast-check's own unit `binary` is similar, but takes
// seconds to load in each test file.
const character = fc.oneof(fc.nat(0xff), fc.nat(0x10ffff)).map((point) => String.fromCodePoint(point));

/** @param maxLength in characters, not in UTF-16 units */
export function anyText(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: character, maxLength });
}
