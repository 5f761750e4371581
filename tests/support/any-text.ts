/**
 * Text of all kinds, control characters and lone surrogates among them.
 */
import fc from 'fast-check';

// The half of it below U+0100, where most of what is special stands. fast-check's own unit `binary` says as much, and
// takes seconds in every test file to begin.
const character = fc.oneof(fc.nat(0xff), fc.nat(0x10ffff)).map((point) => String.fromCodePoint(point));

/** @param maxLength in characters, not in UTF-16 units */
export function anyText(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: character, maxLength });
}
