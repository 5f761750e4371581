/** The bodies of an edition's copies: each part of the edition is encoded once, and a copy joins those that it has. */
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
 * @param name as for `prepareBody` @throws Error if a copy may lack the unsubscribe placeholder
 */
export function openCopyBodies({ html, text, ...segments }: EditionSegments, nonce: string, name: string) {
  const encodeText = openEncoder(text, nonce, 'text');
  const encodeHtml = openEncoder(html, nonce, 'html');
  return ({ stories, subject }: ChosenCopy): PreparedBody => {
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
function openEncoder(parts: readonly Part[], nonce: string, type: 'text' | 'html') {
  splitAtPlaceholders(parts.filter((part) => typeof part === 'string').join(''), nonce);
  const encoding = encodingOf(JSON.stringify(parts));
  // Encoded texts, and names of placeholders, by turns.
  const encode = (text: string, end: 'open' | 'closed'): EncodedPiece[] => {
    const { texts, placeholders } = splitAtPlaceholders(text, nonce, null);
    return texts.flatMap((one, n) => {
      const name = placeholders[n];
      return name === undefined ? [encoding.text(one, end)] : [encoding.text(one, 'open'), name];
    });
  };
  const both = (text: string) => ({ open: encode(text, 'open'), closed: encode(text, 'closed') });
  const encoded = new Map(['\n', '\n\n'].map((text) => [text, both(text)]));
  const keyed = mapParts(parts, (text) => {
    const key = `${encoded.size}`;
    const body = type === 'html' ? text : text.replace(/^\n+|\n+$/g, '');
    if (body === '') return text;
    encoded.set(key, both(body));
    return text.replace(body, key);
  });
  return (content: CopyContent, values: ReadonlyMap<EncodedPiece, string>): EncodedPart => {
    const chosen = chooseParts(keyed, content);
    const keys = type === 'html' ? chosen : joinLines(chosen);
    const placeholders: string[] = [];
    const runs: EncodedPiece[][] = [[]];
    for (let index = 0; index < keys.length; index++) {
      const pieces = encoded.get(keys[index] as string)?.[index === keys.length - 1 ? 'closed' : 'open'] ?? [];
      for (let n = 0; n < pieces.length; n++) {
        const piece = pieces[n] as EncodedPiece;
        const value = n % 2 === 0 ? undefined : values.get(piece);
        if (n % 2 === 0) runs.at(-1)?.push(piece);
        else if (value !== undefined) runs.at(-1)?.push(encoding.value(ESCAPES[type](value)));
        else {
          placeholders.push(piece as string);
          runs.push([]);
        }
      }
    }
    return { ...encoding.around(runs.map(encoding.join)), placeholders };
  };
}
