/**
 * Markdown of MDX: without imports, exports, expressions and components, which are programs. Text within components
 * stays. Lines keep their numbers. Pure.
 */
const FENCE = /^ {0,3}(```+|~~~+)/;
/** As JavaScript has them at the beginning of a paragraph: prose may begin with the same words. */
const STATEMENT =
  /^(?:import\s+(?:["'{*]|[\w$]+(?:\s*,|\s+from\s))|export\s+(?:const|let|var|default|function|async|class|[{*]))/;
const COMPONENT = /<(\/?)([A-Z][\w.]{0,60})((?:\s[^<>]{0,2000})?)>/g;

/**
 * @param text with front matter; its lines end in `\n`
 * @param onRemoved called with the name of each component
 */
export function withoutComponents(text: string, onRemoved: (name: string) => void): string {
  const lines = text.split('\n');
  const end = lines[0]?.trim() === '---' ? lines.findIndex((line, at) => at > 0 && line.trim() === '---') : -1;
  let fence: string | null = null;
  let isInStatement = false;
  let isInParagraph = false;
  return lines
    .map((line, at) => {
      if (at <= end) return line;
      const [, mark] = FENCE.exec(line) ?? [];
      if (mark !== undefined && (fence === null || (mark[0] === fence[0] && mark.length >= fence.length))) {
        fence = fence === null ? mark : null;
        return line;
      }
      if (fence !== null) return line;
      // A statement ends with its paragraph.
      const isBlank = line.trim() === '';
      isInStatement = !isBlank && (isInStatement || (!isInParagraph && STATEMENT.test(line)));
      isInParagraph = !isBlank;
      return isInStatement ? '' : cleanLineOf(line, onRemoved);
    })
    .join('\n');
}

function cleanLineOf(line: string, onRemoved: (name: string) => void): string {
  return line.replace(/\{\/\*[^*]{0,2000}\*\/\}/g, '').replace(COMPONENT, (_, slash: string, name: string) => {
    if (slash === '') onRemoved(name);
    return '';
  });
}
