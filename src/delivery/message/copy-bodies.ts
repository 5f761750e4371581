/**
 * The bodies of an edition's copies. Each part of the edition is encoded once; a copy joins the encoded parts that it
 * has, so that copies which all differ cost no more than their bytes.
 */
import { COPY_PLACEHOLDERS, copyContent, copyPreheader, type EditionSegments } from '../../editions/copies/copy.ts';
import { type CopyContent, chooseParts, joinLines, mapParts, type Part } from '../../editions/copies/segments.ts';
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
  const encodeText = openEncoder(segments.text, nonce, ESCAPES.text, joinLines);
  const encodeHtml = openEncoder(segments.html, nonce, ESCAPES.html, (texts) => [...texts]);
  return ({ stories, subject }) => {
    const content = copyContent(segments, JSON.parse(stories) as number[]);
    const values = new Map<EncodedPiece, string>([
      [COPY_PLACEHOLDERS.preheader, copyPreheader(segments, content.stories)],
      [COPY_PLACEHOLDERS.headline, subject],
    ]);
    return prepareEncoded(name, { text: encodeText(content, values), html: encodeHtml(content, values) });
  };
}

/**
 * Returns the function that encodes a part of a copy. All recipients of the copy share its values. Hashing and trimming
 * the texts of each copy took longer than all else: what is chosen and joined are short keys of encoded texts.
 */
function openEncoder(
  parts: readonly Part[],
  nonce: string,
  escapeValue: (value: string) => string,
  join: typeof joinLines,
) {
  splitAtPlaceholders(parts.filter((part) => typeof part === 'string').join(''), nonce);
  const encoding = encodingOf(allText(parts));
  /** Encoded texts, and names of placeholders, by turns. */
  const encode = (text: string, end: 'open' | 'closed'): EncodedPiece[] => {
    const { texts, placeholders } = splitAtPlaceholders(text, nonce, null);
    return texts.flatMap((one, n) => {
      const name = placeholders[n];
      const piece = encoding.piece(encoding.text(one, name === undefined ? end : 'open'));
      return name === undefined ? [piece] : [piece, name];
    });
  };
  const both = (text: string) => ({ open: encode(text, 'open'), closed: encode(text, 'closed') });
  const encoded = new Map(['', '\n', '\n\n'].map((text) => [text, both(text)]));
  const keyed = mapParts(parts, (text) => {
    const body = text.replace(/^\n+|\n+$/g, '');
    const key = `${encoded.size}`;
    if (body === '' && encoded.has(text)) return text;
    encoded.set(key, both(join === joinLines ? body : text));
    return join === joinLines ? text.replace(body, key) : key;
  });
  return (content: CopyContent, values: ReadonlyMap<EncodedPiece, string>): EncodedPart => {
    const keys = join(chooseParts(keyed, content));
    const placeholders: string[] = [];
    let run: EncodedPiece[] = [];
    const runs = [run];
    keys.forEach((key, index) => {
      const pieces = encoded.get(key)?.[index === keys.length - 1 ? 'closed' : 'open'] as EncodedPiece[];
      for (let n = 0; n < pieces.length; n++) {
        const piece = pieces[n] as EncodedPiece;
        const value = n % 2 === 0 ? undefined : values.get(piece);
        if (n % 2 === 0) run.push(piece);
        else if (value !== undefined) run.push(encoding.piece(encoding.value(escapeValue(value))));
        else {
          placeholders.push(piece as string);
          run = [];
          runs.push(run);
        }
      }
    });
    return { ...encoding.around(runs.map(encoding.join)), placeholders };
  };
}

function allText(parts: readonly Part[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : allText(part.parts))).join('');
}
