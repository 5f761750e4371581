/** The command `domain`: what is wrong in the DNS first. */
import type { Command } from 'commander';
import { CommandError, type JsonOption, jsonCommand, printResult } from '../../core/cli/context.ts';
import { loadConfig } from '../../core/config/config.ts';
import { wrapText } from '../../editions/rendering/wrap-text.ts';
import { loadSigners } from '../message/dkim.ts';
import { type BulkRule, bulkRules } from '../sending-domain/bulk-rules.ts';
import type { DnsResolver, OpenResolver, ResolvingContext } from '../sending-domain/dns-resolver.ts';
import { judgeSetup, sendingSetup } from '../sending-domain/judge-setup.ts';
import type { Judgement, JudgementVerdict } from '../sending-domain/judgement.ts';

export interface SendingDomain {
  /** Domains of From, each once. */
  senders: string[];
  judgements: Judgement[];
  rules: BulkRule[];
}

export function addDomainCommand(program: Command, cli: ResolvingContext): void {
  jsonCommand(program, 'domain', "check the DNS of newsletters' sending domains")
    .addHelpText('after', '\nThe exit code is 1 if something is to repair, and 0 if something is only not known.')
    .option('--server <address>', 'IP address of a name server, also with a port; default: those of the system')
    .action(async (options: JsonOption & { server?: string }) => {
      const { configFile, env, cwd } = cli.processEnv('silent');
      const config = loadConfig(configFile, env, cwd);
      if (config.newsletters.length === 0) throw new CommandError('there is no newsletter, so no mail is sent');
      const setup = sendingSetup(config, loadSigners(config));
      const judgements = await judgeSetup(setup, openWith(cli.openResolver, options.server));
      const found = { senders: setup.senders, judgements, rules: bulkRules(judgements, setup) };
      printResult(cli, options, found, () => formatSendingDomain(found));
      if ([...judgements, ...found.rules].some(({ verdict }) => verdict === 'fail')) cli.fail();
    });
}

function openWith(open: OpenResolver, server: string | undefined): DnsResolver {
  try {
    return open(server);
  } catch {
    throw new CommandError(`--server ${server}: it must be an IP address, such as 192.0.2.53 or 192.0.2.53:5353`);
  }
}

const HEADINGS: [JudgementVerdict, string][] = [
  ['fail', 'To repair'],
  ['unknown', 'Not known'],
  ['pass', 'Right'],
];

function formatSendingDomain({ senders, judgements, rules }: SendingDomain): string {
  const lines = [`Mail from ${senders.join(', ')}`];
  for (const [verdict, heading] of HEADINGS) {
    const those = judgements.filter((one) => one.verdict === verdict);
    if (those.length === 0) continue;
    lines.push('', `${heading} (${those.length})`);
    for (const { id, domain, message } of those) lines.push(`  ${id.padEnd(13)}${domain}`, ...indented(message, 17));
  }
  lines.push('', 'Rules for senders of 5,000 messages a day or more');
  for (const { verdict, rule, reason } of rules) lines.push(`  ${verdict.padEnd(9)}${rule}`, ...indented(reason, 13));
  return lines.join('\n');
}

/** Columns. Longer words, such as keys, are not broken. */
const WIDTH = 100;

function indented(text: string, columns: number): string[] {
  return wrapText(text, WIDTH - columns)
    .split('\n')
    .map((line) => ' '.repeat(columns) + line);
}
