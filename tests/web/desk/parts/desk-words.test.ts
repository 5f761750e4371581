import { globSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deskWords, wordsFor } from '../../../../src/web/desk/parts/desk-words.ts';

/** Files whose messages do not reach pages of the desk. */
const NOT_SHOWN = /\/(?:cli|check|templates|web)\/|\/format-|\/core\/(?!schedule)/;
/** Commands that the desk does not have: they are for whoever runs the machine. */
const ELSEWHERE = /^(start|check|migrate|compose|alert|bounce|domain|subscribers|templates) ?/;

describe('the words of the desk', () => {
  it('stand in place of commands of the command line', () => {
    const name = 'daily/2026-11-24@1';
    expect(deskWords(`Resume it with "daywire editions resume ${name}", or use "daywire editions show ${name}".`)).toBe(
      'Resume it with “Resume” under Deliveries, or use its page under Editions.',
    );
    expect(
      deskWords('use "daywire editions settle a/b --all --as submitted" or "daywire editions settle a/b --as retry"'),
    ).toBe('use “It was submitted” under Deliveries or “Submit it again” under Deliveries');
    expect(deskWords('cancel it with "daywire editions cancel a/b" and "daywire editions cancel a/c"')).toBe(
      'cancel it with “Cancel” under Deliveries',
    );
    expect(deskWords('only "daywire compose daily --slot 2026-11-24" would close its edition')).toBe(
      'only the command line of the server would close its edition',
    );
    expect(
      deskWords('If it does, add --map status="plan" --status "a=…", where … is one of b. If not, add --ignore "plan"'),
    ).toBe(
      'If it does, add to “Columns that say the status” "plan" and into “What the values of the status say” "a=…", ' +
        'where … is one of b. If not, add to “Columns that say nothing about consent” "plan"',
    );
  });

  it('are known for every command that a message of daywire names', () => {
    const files = globSync('src/**/*.ts').filter((file) => !NOT_SHOWN.test(file));
    const commands = files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/"daywire ([^"\n]*)/g)].map(([, command = '']) => command),
    );
    expect(commands.length).toBeGreaterThan(20);
    const known = commands.map((command) => command.replace(/\$\{[^}]*\}/g, 'x'));
    // A name of the command that is filled in, such as what removes an obstacle.
    const unknown = known.filter((command) => !ELSEWHERE.test(command) && !command.startsWith('editions x'));
    expect(unknown.filter((command) => wordsFor(command) === null)).toEqual([]);
  });

  it('name buttons and fields that pages of the desk have', () => {
    const files = globSync('src/**/desk/**/*.ts').filter((file) => !file.endsWith('desk-words.ts'));
    const pages = files.map((file) => readFileSync(file, 'utf8')).join('\n');
    const words = readFileSync('src/web/desk/parts/desk-words.ts', 'utf8');
    const labels = [...words.matchAll(/“([A-Z][^”$]*)”/g)].map(([, label = '']) => label);
    expect(labels.length).toBeGreaterThan(15);
    // As a string or as text of an element.
    const isLabel = (label: string): boolean => [`'${label}'`, `>${label}`].some((one) => pages.includes(one));
    expect(labels.filter((label) => !isLabel(label))).toEqual([]);
  });

  it('leave no command, whatever is around it, in linear time', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const text = deskWords(`${before.replaceAll('"', '')}"daywire editions log x"${after}`);
        expect(text).toContain('the log on its page');
        expect(text).not.toContain('daywire editions');
      }),
    );
    const start = performance.now();
    for (const part of ['"daywire ', 'Say what they mean: ', '“a” under Deliveries, ', ' --status "']) {
      deskWords(part.repeat(20_000));
    }
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
