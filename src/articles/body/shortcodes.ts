/**
 * Removes what only a site generator or a CMS understands from a body in Markdown: shortcodes of Hugo and WordPress,
 * tags and values of Liquid, imports and components of MDX, containers, alerts and attributes in braces. Players become
 * links, figures become images, and highlighted code becomes a fence. Code stays as it is. Pure, and linear in the
 * length of the body.
 */
import { cleanLine } from '../../lib/text/clean-text.ts';

/** Note about a shortcode that was removed or replaced. */
export interface ShortcodeNote {
  /** From 0. */
  line: number;
  /** The same for all shortcodes of the name. */
  text: string;
}

const MARKERS =
  /\{[{%/: .#\w-]|:::|\[!|\[\/?(?:gallery|caption|wp_caption|embed|audio|video|playlist|[a-z]+_)|^(?:import|export)\s/m;

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
/** Liquid's and Hugo's form of a fence, alone on its line. */
const HIGHLIGHT = new RegExp(
  '^[ \\t]*\\{(?:%-?|\\{[<%])[ \\t]*(end|/)?[ \\t]*(?:highlight|codeblock)' +
    '(?:[ \\t]+(?:lang:)?["\']?([\\w+#-]{1,30}))?[^{}\\n]{0,200}\\}?\\}[ \\t]*$',
);
const CODE = '~~~~~~';

/** `.class`, `#id` and `key=value`. */
const ATTRIBUTE = '(?:[.#][A-Za-z][\\w:-]{0,60}|[\\w-]{1,40}=(?:"[^"\\n{}]{0,200}"|[^\\s{}"]{1,200}))';
const ATTRIBUTES = `\\{ ?${ATTRIBUTE}(?: ${ATTRIBUTE}){0,9} ?\\}`;

/** Between the marks of each form there is no brace, so that no place is searched twice. */
const FORMS = [
  // Code within a line.
  '(?<code>(?<!`)(?<ticks>`{1,3})(?!`)[^`\\n]+\\k<ticks>(?!`))',
  // A link whose address is one.
  '!?\\[(?<label>[^\\[\\]\\n]{0,500})\\]' +
    '\\(\\s*(?:\\{\\{[<%][^{}]{0,500}[>%]\\}\\}|\\{%[^{}]{0,500}%\\})[^()\\s]{0,200}\\)',
  // Of MDX, kramdown and Liquid.
  '(?<comment>\\{/\\*[^{}]{0,2000}?\\*/\\}|\\{::comment\\}[^]{0,5000}?\\{:/(?:comment)?\\}|' +
    '\\{%-? ?comment ?-?%\\}[^]{0,5000}?\\{%-? ?endcomment ?-?%\\})',
  '\\{\\{[<%](?<hugo>[^{}]{0,2000})[>%]\\}\\}',
  '\\{%-?(?<liquid>[^{}]{0,2000}?)-?%\\}',
  // Not `{{a}}`, as formulas have it.
  '\\{\\{-?(?<output>\\s[^{}]{0,500}?|(?:site|page|layout|include)\\.[^{}]{0,500}?|' +
    '[^{}]{0,500}(?:_url|baseurl|\\| ?url)\\s*)-?\\}\\}',
  // Of kramdown; of pandoc and others, at the end of a line or after a link or code. Not `x_{n=1}`.
  '(?<classes>\\{:\\s?(?:toc\\b|[.#][\\w-]|[\\w-]{1,40}=|[:/])[^{}\\n]{0,500}\\}|' +
    `(?<=[)\\]\`])${ATTRIBUTES}|(?<=^|[\\s*])${ATTRIBUTES}(?=[ \\t]*$))`,
  // `:::note Title` and its end; `> [!NOTE]`.
  '(?<=^[ \\t>]{0,20}):{3,}[ \\t]*(?<container>[^\\n:][^\\n]{0,300}|)$',
  '(?<=^[ \\t]{0,20}>[ \\t>]{0,20})\\[!(?<alert>[A-Za-z-]{1,30})\\][+-]?',
  // A label such as [video] is none.
  '\\[(?<wordpress>/?(?:gallery|caption|wp_caption|embed|(?:su|vc|et_pb)_\\w{1,30}|' +
    '(?:audio|video|playlist)(?=\\s+\\w{1,20}=)|(?<=/)(?:audio|video|playlist))' +
    '(?:\\s[^[\\]\\n]{0,2000})?)/?\\](?![(:[])',
  '^(?<module>import\\s[^\\n]{0,300}?[\'"][^\'"\\n]{1,300}[\'"];?|' +
    'export\\s+(?:const|let|default)\\s[^\\n]{0,500};)[ \\t]*$',
];
/** MDX is a program, too. Text within components stays. */
const MDX_FORMS = [
  // As JavaScript has them at the beginning of a paragraph, up to its end: prose may begin with the same words.
  '(?<!\\S\\n)^(?<statement>(?:import\\s+(?:["\'{*]|[\\w$]+(?:\\s*,|\\s+from\\s))|' +
    'export\\s+(?:const|let|var|default|function|async|class|[{*]))[^\\n]*(?:\\n(?=.*\\S)[^\\n]*)*)',
  '<(?<end>/?)(?<component>[A-Z][\\w.]{0,60})(?:\\s[^<>]{0,2000})?>',
];
const IN_MARKDOWN = new RegExp(FORMS.join('|'), 'gm');
const IN_MDX = new RegExp([...MDX_FORMS, ...FORMS].join('|'), 'gm');

/**
 * @param hasHighlights whether `{% highlight %}` is code to its end
 * @returns the body, and a note for each name
 */
export function removeShortcodes(
  body: string,
  isMdx = false,
  hasHighlights = true,
): { body: string; notes: ShortcodeNote[] } {
  if (!isMdx && !MARKERS.test(body)) return { body, notes: [] };
  const notes = new Map<string, ShortcodeNote>();
  const parts: string[] = [];
  const replacer = { notes, forms: isMdx ? IN_MDX : IN_MARKDOWN, isRaw: false };
  let open: string | null = null as string | null;
  let prose: string[] = [];
  let line = 0;
  const flush = (): void => {
    if (prose.length > 0) parts.push(replaceIn(prose.join('\n'), line - prose.length, replacer));
    prose = [];
  };
  for (const written of body.split('\n')) {
    const highlight: string[] | null =
      hasHighlights && (open === null || open === CODE) ? HIGHLIGHT.exec(written) : null;
    const isFence = highlight !== null && (highlight[1] === undefined) === (open === null);
    const text = isFence ? CODE + (highlight[2] ?? '') : written;
    const fence = FENCE.exec(text)?.[1];
    if (open === null && fence === undefined) prose.push(text);
    else {
      flush();
      parts.push(text);
      if (open === null) open = fence ?? null;
      else if (fence?.startsWith(open) && text.trim() === fence) open = null;
    }
    line += 1;
  }
  flush();
  // One that does not end would make code of all that follows.
  if (open === CODE && hasHighlights) return removeShortcodes(body, isMdx, false);
  return { body: parts.join('\n'), notes: [...notes.values()] };
}

/** @param replacer.isRaw whether the text is after `{% raw %}`, where nothing is replaced; set at its end */
function replaceIn(
  text: string,
  firstLine: number,
  replacer: { notes: Map<string, ShortcodeNote>; forms: RegExp; isRaw: boolean },
): string {
  const { notes, forms } = replacer;
  let counted = 0;
  let line = firstLine;
  return text.replace(forms, (whole, ...rest) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    const offset = rest.at(-3) as number;
    const tag = groups.liquid?.trim();
    if (tag === 'raw' || tag === 'endraw') {
      replacer.isRaw = tag === 'raw';
      return '';
    }
    if (groups.code !== undefined || replacer.isRaw) return whole;
    const { replacement, what } = replacementOf(groups);
    // The site generator's own pages are at these addresses: nothing is lost.
    if (what === null) return replacement;
    const became = { '!': 'an image', '*': 'a title' }[replacement.charAt(0)] ?? 'a link';
    const note = replacement === '' ? `removed from the body: ${what}` : `in the body, ${what} became ${became}`;
    if (!notes.has(note) && notes.size < 20) {
      for (; counted < offset; counted++) if (text.charCodeAt(counted) === 10) line += 1;
      notes.set(note, { line, text: note });
    }
    return replacement;
  });
}

interface Replacement {
  replacement: string;
  /** For people; null for what is not worth a word. */
  what: string | null;
}

function replacementOf(groups: Record<string, string | undefined>): Replacement {
  const { label, hugo, liquid, output, comment, classes, container, alert, wordpress, statement, component } = groups;
  if (label !== undefined) return { replacement: label || ' ', what: null };
  if (output !== undefined) return liquidValue(output);
  if (comment !== undefined) return { replacement: '', what: null };
  if (classes !== undefined) return { replacement: '', what: 'attributes in braces' };
  if (alert !== undefined) return { replacement: '', what: `the mark [!${alert}]` };
  if (container !== undefined) {
    const [, name = '', label = '', rest = ''] =
      /^\{?\.?([\w-]*)[^[\s]*(?:\[([^\]]*)\])?([^{}]*)/.exec(container) ?? [];
    const title = (label || rest).trim().replace(/^["'*]+|["'*]+$/g, '');
    return { replacement: title && `**${title}**  `, what: container === '' ? null : `the container :::${name}` };
  }
  if (hugo !== undefined) return shortcode(hugo, (name) => `the shortcode {{< ${name} >}}`);
  if (liquid !== undefined) return shortcode(liquid, (name) => `the tag {% ${name} %}`);
  if (wordpress !== undefined) return shortcode(wordpress, (name) => `the shortcode [${name}]`);
  // The lines keep their numbers.
  if (statement !== undefined) return { replacement: statement.replace(/[^\n]+/g, ''), what: null };
  if (component !== undefined) return { replacement: '', what: groups.end ? null : `the component <${component}>` };
  return { replacement: '', what: 'a line that imports or exports code' };
}

/** `{{ "/media/roof.jpg" | relative_url }}` has an address; of anything else the value is unknown here. */
function liquidValue(output: string): Replacement {
  if (/(?:_url|baseurl|\|\s?url)\s*$/.test(output)) {
    return { replacement: /^\s*(["'])([^"'\s]*)\1\s*\|/.exec(output)?.[2] ?? '', what: null };
  }
  const [, name, filter] = /^\s*(?:([\w.-]{1,60})|["'][^|]*\|\s*(\w{1,60}))/.exec(output) ?? [];
  return { replacement: '', what: `the value {{ ${name ?? (filter === undefined ? '…' : `… | ${filter}`)} }}` };
}

function shortcode(inner: string, describe: (name: string) => string): Replacement {
  const text = inner.trim();
  const [, slash = '', name = ''] = /^(\/?)\s*([\w./-]{1,60})/.exec(text) ?? [];
  // The end of what has been reported at its beginning.
  if (slash !== '' || /^end[a-z]*$/.test(name)) return { replacement: '', what: null };
  const replacement = linkOf(name.toLowerCase(), text.slice(name.length));
  return { replacement: replacement ?? '', what: describe(cleanLine(name) || '…') };
}

/** A link or an image in Markdown; null for what has no address. */
function linkOf(name: string, attributes: string): string | null {
  const { named, first, second } = readAttributes(attributes);
  const id = named.get('id') ?? first ?? '';
  if (['figure', 'img', 'image', 'asset_img'].includes(name)) {
    const source = named.get('src') ?? first ?? '';
    const alt = (named.get('alt') ?? named.get('title') ?? named.get('caption') ?? '').replace(/[[\]\n]/g, ' ');
    return /^[^\s()<>]{1,2000}$/.test(source) ? `![${alt}](${source})` : null;
  }
  if (!/^[\w-]{1,64}$/.test(id)) return null;
  switch (name) {
    case 'youtube':
      return `[Video on YouTube](https://www.youtube.com/watch?v=${id})`;
    case 'vimeo':
      return `[Video on Vimeo](https://vimeo.com/${id})`;
    case 'instagram':
      return `[Post on Instagram](https://www.instagram.com/p/${id}/)`;
    case 'tweet':
    case 'twitter':
    case 'x': {
      const user = named.get('user') ?? (second === undefined ? undefined : first);
      const status = named.get('id') ?? second ?? id;
      const isUsable = /^\d{1,30}$/.test(status) && (user === undefined || /^\w{1,30}$/.test(user));
      return isUsable ? `[Post on X](https://x.com/${user ?? 'i'}/status/${status})` : null;
    }
    default:
      return null;
  }
}

/** `a "b c" key="value" key=value` */
function readAttributes(text: string): { named: Map<string, string>; first?: string; second?: string } {
  const named = new Map<string, string>();
  const values: string[] = [];
  for (const [, key, double, single, bare] of text.matchAll(
    /(?:([\w-]{1,40})=)?(?:"([^"]*)"|'([^']*)'|([^\s"'=]+))/g,
  )) {
    const value = double ?? single ?? bare ?? '';
    if (key === undefined) values.push(value);
    else named.set(key.toLowerCase(), value);
  }
  const [first, second] = values;
  return { named, ...(first === undefined ? {} : { first }), ...(second === undefined ? {} : { second }) };
}
