/**
 * The command `domain`.
 */
import type { Command } from 'commander';
import { CommandError, type JsonOption, jsonOption, printResult } from '../../core/cli/context.ts';
import { loadConfig } from '../../core/config/config.ts';
import type { SendingProbes } from '../domain/judge-setup.ts';
import type { OpenSendingProbes, ProbingContext } from '../domain/probes.ts';
import { readSendingDomain, type SendingDomain } from '../domain/sending-domain.ts';
import { RECORD_TTL, zoneLine } from '../domain/zone-record.ts';
import { formatSendingDomain } from './format-domain.ts';

interface DomainOptions extends JsonOption {
  server?: string;
}

export function addCommands(program: Command, cli: ProbingContext): void {
  program
    .command('domain')
    .description("check the DNS of newsletters' sending domains, and print the records that are missing")
    .addHelpText('after', '\nThe exit code is 1 if something is to repair, and 0 if something is only not known.')
    .option('--server <address>', 'IP address of a name server, also with a port; default: those of the system')
    .addOption(jsonOption())
    .action(async (options: DomainOptions) => {
      const { configFile, env, cwd, clock } = cli.processEnv('silent');
      const config = loadConfig(configFile, env, cwd);
      if (config.newsletters.length === 0) throw new CommandError('there is no newsletter, so no mail is sent');
      const probes = openWith(cli.openProbes, options.server);
      const found = await readSendingDomain(config, probes, clock());
      printResult(cli, options, { value: withZoneLines(found), text: () => formatSendingDomain(found) });
      if (found.judgements.some(({ verdict }) => verdict === 'fail')) cli.fail();
    });
}

function openWith(open: OpenSendingProbes, server: string | undefined): SendingProbes {
  try {
    return open(server);
  } catch {
    throw new CommandError(`--server ${server}: it must be an IP address, such as 192.0.2.53 or 192.0.2.53:5353`);
  }
}

/** Records as they are pasted, beside their parts. */
function withZoneLines({ senders, judgements, rules }: SendingDomain): object {
  return {
    senders,
    judgements: judgements.map(({ record, ...one }) =>
      record === undefined ? one : { ...one, record: { ...record, ttl: RECORD_TTL, line: zoneLine(record) } },
    ),
    rules,
  };
}
