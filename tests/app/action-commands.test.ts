import { globSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { COMMAND_MODULES } from '../../src/app/commands.ts';
import type { ResolvingContext } from '../../src/delivery/sending-domain/dns-resolver.ts';

/** The commands that actions and messages of src/ name: one word, or two for a group. */
function namedCommands(): string[] {
  const texts = globSync('src/**/*.ts').map((file) => readFileSync(file, 'utf8'));
  const all = texts.join('\n');
  const written = [...all.matchAll(/(?:command: ['`]|"daywire )([a-z]+(?: [a-z-]+)?)/g)].map(([, words = '']) => words);
  const ofEditions = [...all.matchAll(/editionAction\(\s*'([a-z]+)'/g)].map(([, verb]) => `editions ${verb}`);
  const ofSources = [...all.matchAll(/sourceAction\('([a-z]+)/g)].map(([, verb]) => `sources ${verb}`);
  expect(ofEditions.length).toBeGreaterThan(10);
  expect(ofSources.length).toBeGreaterThan(3);
  return [...new Set([...written, ...ofEditions, ...ofSources])];
}

it('names only commands that daywire has, in actions and messages', async () => {
  const program = new Command('daywire');
  for (const { load } of COMMAND_MODULES) (await load())(program, { env: {} } as ResolvingContext);
  const has = (words: string): boolean => {
    const [first = '', second] = words.split(' ');
    const command = program.commands.find((one) => one.name() === first);
    // The second word is an argument, unless the first one is a group.
    const isGroup = command !== undefined && command.commands.length > 0;
    return (
      command !== undefined &&
      (!isGroup || second === undefined || command.commands.some((one) => one.name() === second))
    );
  };
  const named = namedCommands();
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((words) => !has(words))).toEqual([]);
});
