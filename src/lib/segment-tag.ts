/**
 * The tag `segment` of edition templates. `{% segment any: story %}…{% endsegment %}` is only in copies that have the
 * story; a value is a story, or a list of them.
 * - `any: stories`: the copy has one of these
 * - `lacks: stories`: it does not have all of these
 * - `of: stories, count: n`: it has exactly so many of these
 * - `after: story, in: stories`: it has one that precedes the story in the list; `first: …`: it has none
 * - `minutes: n`: it takes so long to read
 *
 * The tag writes markers, which editions/copies/segments.ts reads.
 */
import {
  type Context,
  type Emitter,
  Hash,
  type Liquid,
  type Parser,
  Tag,
  type TagToken,
  type Template,
  type TopLevelToken,
} from 'liquidjs';

class SegmentTag extends Tag {
  readonly #values: Hash;
  readonly #content: Template[] = [];

  constructor(token: TagToken, remaining: TopLevelToken[], liquid: Liquid, parser: Parser) {
    super(token, remaining, liquid);
    this.#values = new Hash(token.args);
    const stream = parser
      .parseStream(remaining)
      .on('tag:endsegment', () => stream.stop())
      .on('template', (template: Template) => this.#content.push(template))
      .on('end', () => {
        throw new Error(`tag ${token.getText()} not closed`);
      });
    stream.start();
  }

  *render(context: Context, emitter: Emitter): Generator<unknown, void, unknown> {
    const values = (yield this.#values.render(context)) as Record<string, unknown>;
    const { nonce, storyNumbers } = context.environments as { nonce: string; storyNumbers: Record<string, number> };
    const condition = Object.entries(conditionOf(values)).map(([kind, value]) => {
      return [kind, typeof value === 'number' ? value : numbersOf(value, storyNumbers)];
    });
    const marker = Buffer.from(JSON.stringify(Object.fromEntries(condition))).toString('hex');
    emitter.write(`%%${nonce}:(${marker}%%`);
    yield this.liquid.renderer.renderTemplates(this.#content, context, emitter);
    emitter.write(`%%${nonce}:)%%`);
  }

  /** For the analysis of templates: they may include others. */
  // biome-ignore lint/correctness/useYield: Liquid drives what it renders and analyses as generators
  *children(): Generator<unknown, Template[]> {
    return this.#content;
  }
}

/** `after` and `first` are short for what a template can say of the stories before one. */
function conditionOf({ after, first, in: list, ...values }: Record<string, unknown>): Record<string, unknown> {
  const story = after ?? first;
  if (story === undefined) return values;
  const before = (list as unknown[]).slice(0, (list as unknown[]).indexOf(story));
  return after === undefined ? { none: before } : { any: before };
}

function numbersOf(value: unknown, numbers: Readonly<Record<string, number>>): number[] {
  return ([value].flat() as { articleId: string }[]).flatMap((story) => numbers[story?.articleId] ?? []);
}

export function registerSegmentTag(liquid: Liquid): void {
  liquid.registerTag('segment', SegmentTag);
}
