/**
 * How the checks of the sending domain ask the world, unless something else is given.
 */
import type { CliContext } from '../../core/cli/context.ts';
import type { SendingProbes } from './judge-setup.ts';
import { onlyPublic, openTlsProbe } from './mx/probe-tls.ts';
import { openNodeResolver } from './node-resolver.ts';

/**
 * @param server IP address of a name server, with or without a port; default: those of the system
 * @throws TypeError where `server` is no such address
 */
export type OpenSendingProbes = (server?: string) => SendingProbes;

export const openSendingProbes: OpenSendingProbes = (server) => ({
  dns: openNodeResolver(server),
  tls: onlyPublic(openTlsProbe()),
});

/** A context of commands that can ask about the sending domain. */
export interface ProbingContext extends CliContext {
  openProbes: OpenSendingProbes;
}
