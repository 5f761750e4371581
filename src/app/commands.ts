/**
 * All commands, as the help lists them. Each is loaded on demand: a mail server runs `daywire bounce` for each message.
 */
import type { AddCommands } from '../core/cli/context.ts';
import type { ResolvingContext } from '../delivery/sending-domain/dns-resolver.ts';

const BY_HEADING: Record<string, { commands: string[]; load(): Promise<AddCommands<ResolvingContext>> }[]> = {
  'Set-up:': [
    { commands: ['init', 'check', 'schema'], load: async () => (await import('./cli/setup.ts')).addSetupCommands },
    { commands: ['domain'], load: async () => (await import('../delivery/cli/domain.ts')).addDomainCommand },
    { commands: ['templates'], load: async () => (await import('./cli/templates.ts')).addTemplateCommands },
  ],
  'Running:': [
    { commands: ['start'], load: async () => (await import('./cli/start.ts')).addStartCommand },
    { commands: ['status'], load: async () => (await import('./cli/status.ts')).addStatusCommand },
  ],
  'Articles and feeds:': [
    {
      commands: ['import', 'rejected'],
      load: async () => (await import('../articles/cli/articles.ts')).addArticleCommands,
    },
    { commands: ['sources'], load: async () => (await import('../sources/cli/commands.ts')).addSourceCommands },
    { commands: ['publish', 'feeds'], load: async () => (await import('../feeds/cli/feeds.ts')).addFeedCommands },
  ],
  'Editions and delivery:': [
    { commands: ['roundup'], load: async () => (await import('../outlets/cli/roundup.ts')).addRoundupCommands },
    {
      commands: ['compose', 'editions'],
      load: async () => (await import('../editions/cli/editions.ts')).addEditionCommands,
    },
    { commands: ['alert'], load: async () => (await import('../editions/cli/alert.ts')).addAlertCommand },
    {
      commands: ['deliver', 'queue', 'bounce'],
      load: async () => (await import('../delivery/cli/delivery.ts')).addDeliveryCommands,
    },
  ],
  'Subscribers:': [
    {
      commands: ['subscribers'],
      load: async () => (await import('../audience/cli/subscribers.ts')).addSubscriberCommands,
    },
  ],
  'Desk:': [
    { commands: ['accounts'], load: async () => (await import('../accounts/cli/accounts.ts')).addAccountCommands },
  ],
  'Store:': [
    {
      commands: ['migrate', 'backup', 'restore', 'secret'],
      load: async () => (await import('./cli/store.ts')).addStoreCommands,
    },
  ],
};

export const COMMAND_MODULES = Object.entries(BY_HEADING).flatMap(([heading, modules]) =>
  modules.map((module) => ({ heading, ...module })),
);
