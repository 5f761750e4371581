import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { removeShortcodes } from '../../../src/articles/body/shortcodes.ts';
import { processorTime } from '../../support/processor-time.ts';

const remove = (body: string): [string, ...string[]] => {
  const { body: left, notes } = removeShortcodes(body);
  return [left, ...notes.map(({ line, text }) => `${line}: ${text}`)];
};

describe('removeShortcodes', () => {
  it('removes components and code from MDX alone, and keeps its lines and its text', () => {
    const read = (text: string): string => removeShortcodes(text, true).body;
    const body =
      'import A from "a";\nimport { B } from "b";\n\nimport is a word, <b>and</b> so is <A b={1}>export</A>.';
    expect(removeShortcodes(body, true)).toEqual({
      body: '\n\n\nimport is a word, <b>and</b> so is export.',
      notes: [{ line: 3, text: 'removed from the body: the component <A>' }],
    });
    expect(removeShortcodes('So is <A b={1}>export</A>.').body).toBe('So is <A b={1}>export</A>.');
    expect(read('export const a = {\n  b: 1,\n};\n\nA paragraph that says\nimport "this".')).toBe(
      '\n\n\n\nA paragraph that says\nimport "this".',
    );
    expect(read('```\nimport A from "a";\n<A />\n```')).toBe('```\nimport A from "a";\n<A />\n```');
  });

  it.each([
    'A {/* not for you */}B',
    'A {::comment}not {.for} you{:/}B',
    'A {::comment}\nnot *for* you\n{:/comment}B',
    'A {% comment %}\nnot {{ for }} you\n{%- endcomment -%}B',
  ])('publishes no comment: %j', (body) => expect(remove(body)).toEqual(['A B']));

  it.each([
    [
      'a {{< highlight go >}}b{{< /highlight >}} c',
      'a b c',
      '0: removed from the body: the shortcode {{< highlight >}}',
    ],
    ['a\n\n{{% notice %}}', 'a\n\n', '2: removed from the body: the shortcode {{< notice >}}'],
    ['{% alert %}a{% endalert %}', 'a', '0: removed from the body: the tag {% alert %}'],
    ['a {{ page.place | upcase }} b', 'a  b', '0: removed from the body: the value {{ page.place }}'],
    ['a {{ "x" | t }} b', 'a  b', '0: removed from the body: the value {{ … | t }}'],
    [':::note\nA\n:::\nB', '\nA\n\nB', '0: removed from the body: the container :::note'],
    ['> ::: warning Mind it\n> A', '> **Mind it**  \n> A', '0: in the body, the container :::warning became a title'],
    ['::::tip[So]{.x}\nA', '**So**  \nA', '0: in the body, the container :::tip became a title'],
    ['::: {.callout}\nA', '\nA', '0: removed from the body: the container :::callout'],
    ['> [!NOTE]\n> A', '> \n> A', '0: removed from the body: the mark [!NOTE]'],
    ['A\n\n## Title {#id .x}', 'A\n\n## Title ', '2: removed from the body: attributes in braces'],
    ['![a](b.jpg){width=300}, c', '![a](b.jpg), c', '0: removed from the body: attributes in braces'],
    ['A\n{.info}', 'A\n', '1: removed from the body: attributes in braces'],
    ['A\n{: .b lang="de" }', 'A\n', '1: removed from the body: attributes in braces'],
    ['{::options parse="a" /}A{:/}', 'A', '0: removed from the body: attributes in braces'],
    ['{% asset_img a.jpg %}', '![](a.jpg)', '0: in the body, the tag {% asset_img %} became an image'],
    ['[gallery ids="1,2"]', '', '0: removed from the body: the shortcode [gallery]'],
    ['[video src="/a.mp4"] [/video]', ' ', '0: removed from the body: the shortcode [video]'],
    ['[caption id="a"]A roof[/caption]', 'A roof', '0: removed from the body: the shortcode [caption]'],
    [
      "import Chart from '../chart.jsx';\n\nText.",
      '\n\nText.',
      '0: removed from the body: a line that imports or exports code',
    ],
    [
      '{{< youtube dQw4w9WgXcQ >}}',
      '[Video on YouTube](https://www.youtube.com/watch?v=dQw4w9WgXcQ)',
      '0: in the body, the shortcode {{< youtube >}} became a link',
    ],
    ['{% vimeo 123 %}', '[Video on Vimeo](https://vimeo.com/123)', '0: in the body, the tag {% vimeo %} became a link'],
    [
      '{{< x user="ann" id="42" >}}',
      '[Post on X](https://x.com/ann/status/42)',
      '0: in the body, the shortcode {{< x >}} became a link',
    ],
    [
      '{{< figure src="/a.jpg" alt="A [roof]" >}}',
      '![A  roof ](/a.jpg)',
      '0: in the body, the shortcode {{< figure >}} became an image',
    ],
  ])('removes %j', (body, left, note) => {
    expect(remove(body)).toEqual([left, note]);
  });

  it.each([
    ['[About]({{< ref "about.md" >}}) us', 'About us'],
    ['[About]({% post_url 2026-11-24-a %})', 'About'],
    ['![A roof]({{ site.baseurl }}/a.jpg)', '![A roof](/a.jpg)'],
    ['[A]({{site.baseurl}}/a) and [b]({{ "/b" | url }})', '[A](/a) and [b](/b)'],
    ['a {/* a remark */}b', 'a b'],
    ['{% raw %}\na {{ b }} {% c %}\n{% endraw %}', '\na {{ b }} {% c %}\n'],
    ['{% highlight ruby linenos %}\n{{ a }}\n{% endhighlight %}\nb', '~~~~~~ruby\n{{ a }}\n~~~~~~\nb'],
    ['{{< highlight go "linenos=table" >}}\n{% a %}\n{{< /highlight >}}', '~~~~~~go\n{% a %}\n~~~~~~'],
  ])('leaves the text of %j', (body, left) => {
    expect(remove(body)).toEqual([left]);
  });

  it.each([
    '```\n{{< youtube a >}}\n```',
    '~~~\n{% raw %}\n```\n{% raw %}\n~~~',
    'Write `{{< figure >}}` or ``{% raw %}`` there.',
    'See [gallery](/gallery), [video][1] and [audio]: one.\n\n[video]: https://example.com',
    'They said it was [sic] {good}, as in $x_{{a}}$.',
    '~~~\n{% highlight ruby %}\n~~~\n{% endhighlight',
    '* [video] [A talk](https://example.com) and [audio] of it',
    'import duties fell.',
    'export "const"',
  ])('leaves %j as it is', (body) => {
    expect(remove(body)).toEqual([body]);
  });

  it('takes no highlighted code that does not end for one', () => {
    const note = '0: removed from the body: the tag {% highlight %}';
    expect(remove('{% highlight ruby %}\na\n\nb')).toEqual(['\na\n\nb', note]);
    expect(remove('{% highlight ruby %}a\n{% endhighlight %}\nb')).toEqual(['a\n\nb', note]);
  });

  it('notes each name once', () => {
    expect(remove('{{< a >}} {{< a >}}\n{{< b >}}')).toEqual([
      ' \n',
      '0: removed from the body: the shortcode {{< a >}}',
      '1: removed from the body: the shortcode {{< b >}}',
    ]);
  });

  it('takes linear time, and never throws', () => {
    const part = fc.constantFrom(
      '{{<',
      '>}}',
      '{%',
      '%}',
      '[gallery',
      ']',
      '`',
      '```\n',
      '{/*',
      '*/}',
      '[',
      '](',
      'import ',
      '<A b={1}>',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(part, fc.string()), { maxLength: 40 }), (parts) => {
        for (const isMdx of [false, true]) expect(() => removeShortcodes(parts.join(''), isMdx)).not.toThrow();
      }),
    );
    const long = [
      '{{<',
      '{{< a ',
      '{%',
      '{% a',
      '[gallery ',
      '[',
      '`',
      '` ',
      '{/*',
      '{{ site.',
      '{{ a ',
      '{% highlight a',
      '{% raw %}',
      '](',
      '![a](',
      'import ',
      '{{',
    ];
    const ofMdx = ['<A ', '<', '<A b={', '\n', 'import \n\n', 'import { a\n', 'export { \n'];
    for (const unit of [...long, ...ofMdx, 'import a\n', '{{< a="', "{{< youtube a=' >}}"]) {
      for (const [start, isMdx] of [
        ['{{ ', false],
        ['', true],
      ] as const) {
        const body = start + unit.repeat(500_000 / unit.length);
        const time = processorTime(() => void removeShortcodes(body, isMdx));
        expect(time, unit).toBeLessThan(1_000);
      }
    }
  });
});
