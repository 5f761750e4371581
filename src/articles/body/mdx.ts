/** Makes Markdown of MDX. Pure. */
import type { ShortcodeNote } from './shortcodes.ts';

const FENCE = /^ {0,3}(```+|~~~+)/;
/** As JavaScript has them at the beginning of a paragraph: prose may begin with the same words. */
const STATEMENT =
  /^(?:import\s+(?:["'{*]|[\w$]+(?:\s*,|\s+from\s))|export\s+(?:const|let|var|default|function|async|class|[{*]))/;
const COMPONENT = /<(\/?)([A-Z][\w.]{0,60})((?:\s[^<>]{0,2000})?)>/g;

/**
 * The body without imports, exports, expressions and components, which are programs. Text within components stays, and
 * lines keep their numbers.
 * @param body whose lines end in `\n`
 * @returns a note for each name of a component
 */
export function withoutComponents(body: string): { body: string; notes: ShortcodeNote[] } {
  const notes = new Map<string, ShortcodeNote>();
  let fence: string | null = null;
  let isInStatement = false;
  let isInParagraph = false;
  const lines = body.split('\n').map((text, line) => {
    const [, mark] = FENCE.exec(text) ?? [];
    if (mark !== undefined && (fence === null || (mark[0] === fence[0] && mark.length >= fence.length))) {
      fence = fence === null ? mark : null;
      return text;
    }
    if (fence !== null) return text;
    // A statement ends with its paragraph.
    const isBlank = text.trim() === '';
    isInStatement = !isBlank && (isInStatement || (!isInParagraph && STATEMENT.test(text)));
    isInParagraph = !isBlank;
    if (isInStatement) return '';
    return text.replace(/\{\/\*[^*]{0,2000}\*\/\}/g, '').replace(COMPONENT, (_, slash: string, name: string) => {
      const note = `removed from the body: the component <${name}>`;
      if (slash === '' && !notes.has(name) && notes.size < 20) notes.set(name, { line, text: note });
      return '';
    });
  });
  return { body: lines.join('\n'), notes: [...notes.values()] };
}
