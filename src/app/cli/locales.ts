/** Commands about the words of pages, mails and feeds in each language. */
import { type Command, InvalidArgumentError } from 'commander';
import { type CliContext, type JsonOption, jsonCommand, printResult } from '../../core/cli/context.ts';
import { displayPath, table } from '../../core/cli/text.ts';
import { type Config, loadConfig } from '../../core/config/config.ts';
import { localeOf } from '../../lib/locale/locale.ts';
import { englishMessages } from '../../lib/locale/message-file.ts';
import { LANGUAGE_RULE, parseLanguageTag } from '../../lib/names/language-tag.ts';
import { ejectLanguage, listLanguages } from '../locales/languages.ts';

export function addLocaleCommands(program: Command, cli: CliContext): void {
  const locales = program.command('locales').description('list, check and copy the words of pages, mails and feeds');
  const config = (): Config => {
    const { configFile, env, cwd } = cli.processEnv('warn');
    return loadConfig(configFile, env, cwd);
  };
  const nameOf = new Intl.DisplayNames(['en'], { type: 'language' });

  jsonCommand(locales, 'list', 'list the languages that have words, and who has reviewed them').action(
    (options: JsonOption) => {
      const value = listLanguages(config()).map((entry) => ({ ...entry, name: nameOf.of(entry.language) ?? '' }));
      const rows = value.map(({ language, name, messages, missing, reviewedBy }) =>
        [language, name, messages, missing, reviewedBy ?? 'nobody'].map(String),
      );
      const head = ['language', 'name', 'messages', 'missing', 'reviewed by'];
      printResult(cli, options, value, () => table([head, ...rows]).join('\n'));
    },
  );
  locales
    .command('missing')
    .description('list the messages that a language shows in English; exits with 1 if there are any')
    .argument('<language>', 'such as de or zh-Hans', languageTag)
    .action((language: string) => {
      const missing = localeOf(language, config().ownMessages).missing();
      if (missing.length === 0) return cli.print(`${language} has all messages`);
      cli.print(table(missing.map((name) => [name, englishMessages()[name] ?? ''])).join('\n'));
      cli.fail();
    });
  locales
    .command('eject')
    .description('copy the words of a language into your folder, to edit them; English ones to translate')
    .argument('<language>', 'such as de or zh-Hans', languageTag)
    .option('--into <folder>', 'where; default: paths.locales')
    .option('--force', 'overwrite your file')
    .action((language: string, { into, force = false }: { into?: string; force?: boolean }) =>
      cli.print(displayPath(ejectLanguage(into ?? config().paths.locales, language, force))),
    );
}

function languageTag(text: string): string {
  const tag = parseLanguageTag(text);
  if (tag === null) throw new InvalidArgumentError(`It ${LANGUAGE_RULE}.`);
  return tag;
}
