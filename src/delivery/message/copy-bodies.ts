/** The bodies of an edition's copies: each part of the edition is encoded once, and a copy joins those that it has. */
import { copyContent, copyPreheader, type EditionSegments } from '../../editions/copies/copy.ts';
import { chooseParts, joinLines, type Lines, mapParts, type Part, toLines } from '../../editions/copies/segments.ts';
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
  const [ofText, ofHtml] = [openEncoder(text, nonce, ESCAPES.text), openEncoder(html, nonce, ESCAPES.html)];
  const lineEnds = [ofText.encode('\n'), ofText.encode('\n\n')] as const;
  const lines = mapParts(mapParts(text, toLines), ({ body, ...breaks }): Lines<EncodedPiece[]> => {
    return { ...breaks, body: body === null ? null : ofText.encode(body) };
  });
  const merged = mergeStories(html);
  const end = typeof merged.at(-1) === 'string' ? (merged.pop() as string) : '';
  const pieces = [...mapParts(merged, (one) => ofHtml.encode(one)), ofHtml.encode(end, 'closed')];
  return ({ stories, subject }: ChosenCopy): PreparedBody => {
    const content = copyContent(segments, JSON.parse(stories) as number[]);
    const values: Record<string, string> = { preheader: copyPreheader(segments, content.stories), headline: subject };
    return prepareEncoded(name, {
      text: ofText.join(joinLines(chooseParts(lines, content), lineEnds), values),
      html: ofHtml.join(chooseParts(pieces, content), values),
    });
  };
}

/**
 * Merges the texts of each story, which are parted by rules that all but the first of a block have. Fewer and larger
 * texts are hashed and written in less time, and are not copied.
 */
function mergeStories(parts: readonly Part[]): Part[] {
  return parts.map((part) => {
    if (typeof part === 'string') return part;
    const inner = part.parts.flatMap((one) => (typeof one === 'string' ? [] : one));
    const [first] = inner;
    const isRule = inner.every(({ when, parts }) => {
      return JSON.stringify(when) === JSON.stringify(first?.when) && parts.every((one) => typeof one === 'string');
    });
    if (first === undefined || !('any' in first.when) || !isRule) return { ...part, parts: mergeStories(part.parts) };
    const without = part.parts.filter((one) => typeof one === 'string').join('');
    const all = part.parts.flatMap((one) => (typeof one === 'string' ? one : one.parts)).join('');
    const forms = [
      { when: first.when, parts: [all] },
      { when: { none: first.when.any }, parts: [without] },
    ];
    return { when: part.when, parts: forms };
  });
}

/** Encodes the texts of a part once, and joins those of a copy with its values, which all its recipients share. */
function openEncoder(parts: readonly Part[], nonce: string, escapeValue: (value: string) => string) {
  splitAtPlaceholders(parts.filter((part) => typeof part === 'string').join(''), nonce);
  const encoding = encodingOf(JSON.stringify(parts));
  return {
    /** @returns encoded texts, and names of placeholders, by turns */
    encode(text: string, end: 'open' | 'closed' = 'open'): EncodedPiece[] {
      const { texts, placeholders } = splitAtPlaceholders(text, nonce, null);
      return texts.flatMap((one, n) => {
        const placeholder = placeholders[n];
        return placeholder === undefined ? [encoding.text(one, end)] : [encoding.text(one, 'open'), placeholder];
      });
    },
    join(chosen: readonly EncodedPiece[][], values: Readonly<Record<string, string>>): EncodedPart {
      const placeholders: string[] = [];
      let run: EncodedPiece[] = [];
      const runs = [run];
      for (const pieces of chosen) {
        // Without entries(), whose arrays were most of the garbage of a copy.
        for (let n = 0; n < pieces.length; n++) {
          const piece = pieces[n] as EncodedPiece;
          const value = n % 2 === 0 ? undefined : values[piece as string];
          if (n % 2 === 0) run.push(piece);
          else if (value !== undefined) run.push(encoding.value(escapeValue(value)));
          else {
            placeholders.push(piece as string);
            run = [];
            runs.push(run);
          }
        }
      }
      return { ...encoding.around(runs.map(encoding.merge)), placeholders };
    },
  };
}
