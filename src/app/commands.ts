/**
 * All commands, as the help lists them. Each is loaded on demand: a mail server runs `daywire bounce` for each message.
 */
import type { AddCommands } from '../core/cli/context.ts';
import type { ResolvingContext } from '../delivery/sending-domain/dns-resolver.ts';

const BY_HEADING: Record<string, [commands: string[], load: () => Promise<AddCommands<ResolvingContext>>][]> = {
  'Set-up:': [
    [['init', 'check', 'schema'], async () => (await import('./cli/setup.ts')).addSetupCommands],
    [['domain'], async () => (await import('../delivery/cli/domain.ts')).addDomainCommand],
    [['locales'], async () => (await import('./cli/locales.ts')).addLocaleCommands],
    [['templates'], async () => (await import('./cli/templates.ts')).addTemplateCommands],
  ],
  'Running:': [
    [['start'], async () => (await import('./cli/start.ts')).addStartCommand],
    [['status'], async () => (await import('./cli/status.ts')).addStatusCommand],
  ],
  'Articles and feeds:': [
    [['import', 'rejected'], async () => (await import('../articles/cli/articles.ts')).addArticleCommands],
    [['sources'], async () => (await import('../sources/cli/commands.ts')).addSourceCommands],
    [['publish', 'feeds'], async () => (await import('../feeds/cli/feeds.ts')).addFeedCommands],
  ],
  'Editions and delivery:': [
    [['roundup'], async () => (await import('../outlets/cli/roundup.ts')).addRoundupCommands],
    [['compose', 'editions'], async () => (await import('../editions/cli/editions.ts')).addEditionCommands],
    [['alert'], async () => (await import('../editions/cli/alert.ts')).addAlertCommand],
    [['deliver', 'queue', 'bounce'], async () => (await import('../delivery/cli/delivery.ts')).addDeliveryCommands],
  ],
  'Subscribers:': [
    [['subscribers'], async () => (await import('../audience/cli/subscribers.ts')).addSubscriberCommands],
  ],
  'Desk:': [[['accounts'], async () => (await import('../accounts/cli/accounts.ts')).addAccountCommands]],
  'Store:': [
    [['migrate', 'backup', 'restore', 'secret'], async () => (await import('./cli/store.ts')).addStoreCommands],
  ],
};

export const COMMAND_MODULES = Object.entries(BY_HEADING).flatMap(([heading, modules]) =>
  modules.map(([commands, load]) => ({ heading, commands, load })),
);
