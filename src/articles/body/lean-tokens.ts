/**
 * Tokens of markdown-it that are made faster. Version 15 is compiled for old browsers: eight fields of each token are
 * set by a function that may call `Object.defineProperty`, which took a tenth of the time of parsing articles. The
 * tokens are the same; the tests compare them.
 */
import MarkdownIt, { type Token } from 'markdown-it';

type Nesting = -1 | 0 | 1;

/** The fields of `Token`, whose methods are inherited. Rules of markdown-it assign some of them later. */
class LeanToken {
  readonly type: string;
  readonly tag: string;
  readonly attrs = null;
  readonly map = null;
  readonly nesting: Nesting;
  readonly level: number;
  readonly children = null;
  readonly content: string;
  readonly markup = '';
  readonly info = '';
  readonly meta = null;
  readonly block: boolean;
  readonly hidden = false;

  constructor(type: string, tag: string, nesting: Nesting, level: number, content: string, block: boolean) {
    this.type = type;
    this.tag = tag;
    this.nesting = nesting;
    this.level = level;
    this.content = content;
    this.block = block;
  }
}
Object.setPrototypeOf(LeanToken.prototype, MarkdownIt.Token.prototype);

function newToken(type: string, tag: string, nesting: Nesting, level: number, content = '', block = false): Token {
  return new LeanToken(type, tag, nesting, level, content, block) as unknown as Token;
}

class BlockState extends MarkdownIt.StateBlock {
  override push(type: string, tag: string, nesting: Nesting): Token {
    // An end is as deep as its beginning.
    if (nesting === -1) this.level -= 1;
    const token = newToken(type, tag, nesting, this.level, '', true);
    if (nesting === 1) this.level += 1;
    this.tokens.push(token);
    return token;
  }
}

class InlineState extends MarkdownIt.StateInline {
  override pushPending(): Token {
    const token = newToken('text', '', 0, this.pendingLevel, this.pending);
    this.pending = '';
    this.tokens.push(token);
    return token;
  }

  override push(type: string, tag: string, nesting: Nesting): Token {
    if (this.pending !== '') this.pushPending();
    // Marks of emphasis find their pair within the same element.
    if (nesting === -1) {
      this.level -= 1;
      this.delimiters = this._prev_delimiters.pop() as typeof this.delimiters;
    }
    const token = newToken(type, tag, nesting, this.level);
    this.tokens.push(token);
    if (nesting === 1) {
      this.level += 1;
      this._prev_delimiters.push(this.delimiters);
      this.delimiters = [];
    }
    this.tokens_meta.push(nesting === 1 ? { delimiters: this.delimiters } : undefined);
    this.pendingLevel = this.level;
    return token;
  }
}

/** Makes the tokens of a parser lean. */
export function useLeanTokens(markdown: InstanceType<typeof MarkdownIt>): void {
  markdown.block.State = BlockState;
  markdown.inline.State = InlineState;
}
