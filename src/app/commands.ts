/**
 * All commands, as the help lists them. Each is loaded on demand: a mail server runs `daywire bounce` for each message.
 */
import type { AddCommands } from '../core/cli/context.ts';
import type { ProbingContext } from '../delivery/domain/probes.ts';

interface CommandModule {
  commands: string[];
  load(): Promise<{ addCommands: AddCommands<ProbingContext> }>;
}

const BY_HEADING: Record<string, CommandModule[]> = {
  'Set-up:': [
    { commands: ['init', 'check', 'schema'], load: () => import('./cli/setup.ts') },
    { commands: ['domain'], load: () => import('../delivery/cli/domain.ts') },
    { commands: ['templates'], load: () => import('./cli/templates.ts') },
  ],
  'Running:': [
    { commands: ['start'], load: () => import('./cli/start.ts') },
    { commands: ['status'], load: () => import('./cli/status.ts') },
  ],
  'Articles and feeds:': [
    { commands: ['import', 'rejected'], load: () => import('../articles/cli/articles.ts') },
    { commands: ['sources'], load: () => import('../sources/cli/commands.ts') },
    { commands: ['publish', 'feeds'], load: () => import('../feeds/cli/feeds.ts') },
  ],
  'Editions and delivery:': [
    { commands: ['roundup'], load: () => import('../outlets/cli/roundup.ts') },
    { commands: ['compose', 'preview', 'editions'], load: () => import('../editions/cli/editions.ts') },
    { commands: ['alert'], load: () => import('../editions/cli/alert.ts') },
    { commands: ['deliver', 'queue', 'bounce'], load: () => import('../delivery/cli/delivery.ts') },
  ],
  'Subscribers:': [{ commands: ['subscribers'], load: () => import('../audience/cli/subscribers.ts') }],
  'Desk:': [{ commands: ['accounts'], load: () => import('../accounts/cli/accounts.ts') }],
  'Store:': [{ commands: ['migrate', 'backup', 'restore', 'secret'], load: () => import('./cli/store.ts') }],
};

export const COMMAND_MODULES = Object.entries(BY_HEADING).flatMap(([heading, modules]) =>
  modules.map((module) => ({ heading, ...module })),
);
