/**
 * The bodies of an edition's copies. Each part of the edition is encoded once; a copy joins the encoded parts that it
 * has, so that copies which all differ cost no more than their bytes.
 */
import { COPY_PLACEHOLDERS, copyContent, copyPreheader, type EditionSegments } from '../../editions/copies/copy.ts';
import { chooseParts, joinLines, type Part } from '../../editions/copies/segments.ts';
import { splitAtPlaceholders } from '../../editions/rendering/placeholders.ts';
import { type EncodedPart, ESCAPES, type PreparedBody, prepareEncoded } from './body.ts';
import { type EncodedPiece, encodingOf } from './transfer-encoding.ts';

/** What a recipient gets of an edition with copies, as it was decided when the edition closed. */
export interface ChosenCopy {
  /** The numbers of its stories, as a JSON array. */
  stories: string;
  subject: string;
}

/**
 * Returns the function that prepares the body of a copy.
 * @param name as for `prepareBody`
 * @throws Error if the unsubscribe placeholder is missing, or not in all copies
 */
export function openCopyBodies(
  segments: EditionSegments,
  nonce: string,
  name: string,
): (copy: ChosenCopy) => PreparedBody {
  const encodeText = openEncoder(segments.text, nonce, ESCAPES.text);
  const encodeHtml = openEncoder(segments.html, nonce, ESCAPES.html);
  return ({ stories, subject }) => {
    const content = copyContent(segments, JSON.parse(stories) as number[]);
    const values = new Map<EncodedPiece, string>([
      [COPY_PLACEHOLDERS.preheader, copyPreheader(segments, content.stories)],
      [COPY_PLACEHOLDERS.headline, subject],
    ]);
    return prepareEncoded(name, {
      text: encodeText(joinLines(chooseParts(segments.text, content)), values),
      html: encodeHtml(chooseParts(segments.html, content), values),
    });
  };
}

/** Returns the function that encodes the texts of a copy. All recipients of the copy share its values. */
function openEncoder(parts: readonly Part[], nonce: string, escapeValue: (value: string) => string) {
  splitAtPlaceholders(parts.filter((part) => typeof part === 'string').join(''), nonce);
  const encoding = encodingOf(allText(parts));
  // The texts of all copies, a few for each story: pieces and names of placeholders by turns.
  const known = { open: new Map<string, EncodedPiece[]>(), closed: new Map<string, EncodedPiece[]>() };
  const encodeOnce = (text: string, end: 'open' | 'closed'): EncodedPiece[] => {
    const pieces = known[end].get(text);
    if (pieces !== undefined) return pieces;
    const { texts, placeholders } = splitAtPlaceholders(text, nonce, null);
    const encoded = texts.flatMap((one, n) => {
      const name = placeholders[n];
      return name === undefined ? [encoding.text(one, end)] : [encoding.text(one, 'open'), name];
    });
    known[end].set(text, encoded);
    return encoded;
  };
  return (texts: readonly string[], values: ReadonlyMap<EncodedPiece, string>): EncodedPart => {
    const placeholders: string[] = [];
    const runs: EncodedPiece[][] = [[]];
    for (const [index, text] of texts.entries()) {
      for (const [n, piece] of encodeOnce(text, index === texts.length - 1 ? 'closed' : 'open').entries()) {
        const value = n % 2 === 0 ? undefined : values.get(piece);
        if (n % 2 === 0) runs.at(-1)?.push(piece);
        else if (value !== undefined) runs.at(-1)?.push(encoding.value(escapeValue(value)));
        else {
          placeholders.push(piece as string);
          runs.push([]);
        }
      }
    }
    return { ...encoding.around(runs.map(encoding.join)), placeholders };
  };
}

function allText(parts: readonly Part[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : allText(part.parts))).join('');
}
