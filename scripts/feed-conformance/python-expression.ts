/**
 * The part of Python's expressions in which the feeds of a parser's test suite state what a reader should find:
 * `not bozo and entries[0]['title'] == 'Example'`.
 */

export type Expression =
  | { kind: 'literal'; value: PythonValue }
  | { kind: 'name'; name: string }
  /** `of[key]`, and `of.key`. */
  | { kind: 'part'; of: Expression; key: PythonValue }
  | { kind: 'call'; callee: Expression; arguments: Expression[] }
  | { kind: 'not'; operand: Expression }
  | { kind: 'and' | 'or'; operands: Expression[] }
  /** `a == b == c` holds if each neighbours are equal; `is` compares as `==` does. */
  | { kind: 'comparison'; operands: Expression[]; operators: Operator[] };

type Operator = '==' | '!=' | 'in';

export type PythonValue = string | number | boolean | null | PythonValue[] | { [key: string]: PythonValue };

const TOKEN =
  /\s*(?:([uUbBrR]?)("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(-?\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(==|!=|[[\](){},.:+]))/y;

interface Token {
  kind: 'text' | 'number' | 'name' | 'sign';
  value: string;
}

/** @throws SyntaxError */
export function parseExpression(source: string): Expression {
  const parser = new ExpressionParser(tokensOf(source));
  return parser.parse();
}

function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  const text = source.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (found === null) throw new SyntaxError(`not understood: ${text.slice(at, at + 40)}`);
    const [, , quoted, number, name, sign] = found;
    if (quoted !== undefined) tokens.push({ kind: 'text', value: unquote(quoted) });
    else if (number !== undefined) tokens.push({ kind: 'number', value: number });
    else if (name !== undefined) tokens.push({ kind: 'name', value: name });
    else tokens.push({ kind: 'sign', value: sign as string });
  }
  return tokens;
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\n': '' };

function unquote(quoted: string): string {
  const quotes = /^("""|''')/.test(quoted) ? 3 : 1;
  return quoted
    .slice(quotes, -quotes)
    .replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g, (_whole, x, u, long, other) => {
      const hex: string | undefined = x ?? u ?? long;
      return hex === undefined ? (ESCAPES[other] ?? other) : String.fromCodePoint(Number.parseInt(hex, 16));
    });
}

class ExpressionParser {
  readonly #tokens: Token[];
  #at = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  parse(): Expression {
    const expression = this.#junction('or', () => this.#junction('and', () => this.#negation()));
    if (this.#at < this.#tokens.length) throw new SyntaxError(`not understood: ${this.#next().value}`);
    return expression;
  }

  #junction(kind: 'and' | 'or', operand: () => Expression): Expression {
    const operands = [operand()];
    while (this.#takes('name', kind)) operands.push(operand());
    return operands.length === 1 ? (operands[0] as Expression) : { kind, operands };
  }

  #negation(): Expression {
    return this.#takes('name', 'not') ? { kind: 'not', operand: this.#negation() } : this.#comparison();
  }

  #comparison(): Expression {
    const operands = [this.#postfix()];
    const operators: Operator[] = [];
    for (;;) {
      const operator = this.#operator();
      if (operator === null) break;
      operators.push(operator);
      operands.push(this.#postfix());
    }
    return operators.length === 0 ? (operands[0] as Expression) : { kind: 'comparison', operands, operators };
  }

  #operator(): Operator | null {
    if (this.#takes('sign', '==')) return '==';
    if (this.#takes('sign', '!=')) return '!=';
    if (this.#takes('name', 'is')) return this.#takes('name', 'not') ? '!=' : '==';
    const isNegated = this.#takes('name', 'not');
    return this.#takes('name', 'in') || isNegated ? 'in' : null;
  }

  #postfix(): Expression {
    let expression = this.#atom();
    for (;;) {
      if (this.#takes('sign', '[')) {
        expression = { kind: 'part', of: expression, key: this.#literal() };
        this.#expect(']');
      } else if (this.#takes('sign', '.')) {
        expression = { kind: 'part', of: expression, key: this.#next().value };
      } else if (this.#takes('sign', '(')) {
        expression = { kind: 'call', callee: expression, arguments: this.#list(')', () => this.#postfix()) };
      } else return expression;
    }
  }

  #atom(): Expression {
    const token = this.#next();
    if (token.kind === 'name') {
      if (token.value in CONSTANTS) return { kind: 'literal', value: CONSTANTS[token.value] ?? null };
      return { kind: 'name', name: token.value };
    }
    if (token.kind === 'sign' && token.value === '(') return this.#parenthesis();
    this.#at--;
    return { kind: 'literal', value: this.#literal() };
  }

  /** A tuple, or an expression in parentheses. */
  #parenthesis(): Expression {
    const first = this.#junction('or', () => this.#junction('and', () => this.#negation()));
    if (!this.#takes('sign', ',')) {
      this.#expect(')');
      return first;
    }
    const rest = this.#list(')', () => this.#literal());
    return { kind: 'literal', value: [first.kind === 'literal' ? first.value : null, ...rest] };
  }

  #literal(): PythonValue {
    const { kind, value } = this.#next();
    if (kind === 'text') {
      let text = value;
      while (this.#takes('sign', '+')) text += this.#next().value;
      return text;
    }
    if (kind === 'number') return Number(value);
    if (kind === 'name' && value in CONSTANTS) return CONSTANTS[value] ?? null;
    if (value === '[') return this.#list(']', () => this.#literal());
    if (value === '(') return this.#list(')', () => this.#literal());
    if (value === '{') {
      return Object.fromEntries(
        this.#list('}', () => {
          const key = String(this.#literal());
          this.#expect(':');
          return [key, this.#literal()];
        }),
      );
    }
    throw new SyntaxError(`not understood: ${value}`);
  }

  #list<T>(end: string, read: () => T): T[] {
    const entries: T[] = [];
    while (!this.#takes('sign', end)) {
      entries.push(read());
      if (this.#takes('sign', ',')) continue;
      this.#expect(end);
      break;
    }
    return entries;
  }

  #next(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new SyntaxError('it ends too early');
    return token;
  }

  #takes(kind: Token['kind'], value: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== kind || token.value !== value) return false;
    this.#at++;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#takes('sign', sign)) throw new SyntaxError(`${sign} is missing`);
  }
}

const CONSTANTS: Record<string, PythonValue> = { None: null, True: true, False: false };
