import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Config, ConfigError, parseConfig } from '../../../src/core/config/config.ts';
import { ROOT, SAMPLE_CONFIG } from '../../support/sample.ts';

const SAMPLE = readFileSync(SAMPLE_CONFIG, 'utf8');

/** The sample configuration with further keys of `signup`. */
function parse(keys: string): Config {
  return parseConfig(SAMPLE.replace('signup:\n', `signup:\n${keys}\n`), { file: 'daywire.yaml', env: {}, cwd: ROOT });
}

function problemsOf(keys: string): string[] {
  try {
    parse(keys);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the sites with a form to subscribe', () => {
  it.each([
    ['https://times.example/', /must be scheme and host .*, without a path or a slash at the end/],
    ['https://times.example/news', /must be scheme and host/],
    ['https://Times.example', /in lower-case ASCII/],
    ['https://zeitung.münchen.example', /in lower-case ASCII/],
    ['https://times.example:443', /must be scheme and host/],
    ['http://times.example', /http only for localhost$/],
    ['http://localhost.evil.example', /http only for localhost$/],
    ['https://ada@times.example', /must be scheme and host/],
    ['null', /must be scheme and host/],
    ['*', /must be scheme and host/],
  ])('cannot be named as %s', (origin, rule) => {
    const problems = problemsOf(`  origins: ["https://a.example", "${origin}"]`);
    expect(problems).toEqual([expect.stringMatching(rule)]);
    expect(problems[0]).toMatch(/^daywire\.yaml:\d+: signup\.origins\[1\] is /);
  });

  it('may have the page of thanks, as may the own site, and no other site', () => {
    const origins = '  origins: ["https://times.example", "http://localhost:3000", "https://a.example:8443"]';
    for (const url of ['https://times.example/thanks?to=x#y', 'http://localhost:3000/', 'http://127.0.0.1:8080/x']) {
      expect(parse(`${origins}\n  thanks: "${url}"`).signup.thanks).toBe(url);
    }
    for (const url of ['https://evil.example/', 'https://times.example.evil.example/', 'http://times.example/thanks']) {
      expect(problemsOf(`${origins}\n  thanks: "${url}"`)).toEqual([
        expect.stringMatching(/signup\.thanks is .*: must be a page on one of signup\.origins$/),
      ]);
    }
    for (const url of ['/thanks', 'javascript:alert(1)']) {
      expect(problemsOf(`${origins}\n  thanks: "${url}"`)).toEqual([
        expect.stringMatching(/must be an http or https address/),
      ]);
    }
  });
});
