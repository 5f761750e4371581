/**
 * Pre-flight checks: configuration, templates, store, signing secret, folders, DKIM keys, the records of the sending
 * domain, and the logins to the mailbox and the SMTP server, each tried as daywire itself uses it. Nothing is changed.
 */
import { existsSync } from 'node:fs';
import type { AppContext, ProcessEnv } from '../../core/app-context.ts';
import { type Config, ConfigError, loadConfig } from '../../core/config/config.ts';
import { readableByOthers } from '../../core/config/private-paths.ts';
import { type Finding, ok, problem, warning } from '../../core/finding.ts';
import { checkSendingDomain } from '../../delivery/checks.ts';
import type { OpenResolver } from '../../delivery/sending-domain/dns-resolver.ts';
import { checkLegalTexts } from '../../front/legal-document.ts';
import { openTemplates } from '../../lib/templates.ts';
import { CAPABILITIES } from '../capabilities.ts';
import { ownTemplateWarnings } from '../templates/own-templates.ts';
import { checkTemplates } from '../templates/template-problems.ts';
import { checkAddresses, checkFolders, checkMetrics } from './config.ts';
import { checkContent, checkStore } from './store.ts';

/**
 * Does all checks in the order in which they are printed. A check that fails does not stop the next one, except that of
 * the configuration.
 */
export async function check(
  { configFile, env, cwd, clock }: ProcessEnv,
  openResolver: OpenResolver,
): Promise<Finding[]> {
  let config: Config;
  try {
    config = loadConfig(configFile, env, cwd);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(problem);
    throw error;
  }
  return [
    ok(`configuration ${configFile} is valid`),
    ...checkAddresses(config),
    ...checkMetrics(config),
    ...(await checkTemplates(config, openTemplates(config.paths.templates, config.publication.zone), clock())),
    ...ownTemplateWarnings(config.paths.templates).map(warning),
    ...(await checkStore(config, clock())),
    ...checkFolders(config),
    ...readableByOthers(config).map(warning),
    ...(await checkLegalTexts(config)),
    ...CAPABILITIES.flatMap(({ checks }) => checks?.config?.(config) ?? []),
    ...(await checkConnections(config, openResolver, clock())),
  ];
}

/** Others must answer these. All run at once, because each waits up to some seconds. */
async function checkConnections(config: Config, openResolver: OpenResolver, now: number): Promise<Finding[]> {
  const findings = await Promise.all([
    ...CAPABILITIES.map(({ checks }) => checks?.connections?.(config, now) ?? []),
    // Called by its name, because it alone asks the DNS.
    checkSendingDomain(config, openResolver),
  ]);
  return findings.flat();
}

/**
 * Problems of the configuration, the store and the newsroom's own templates for a process that starts, without the
 * logins. The sample newsroom is for a trial: only its problems are named.
 */
export async function checkAtStart({ config, store, templates, clock }: AppContext): Promise<Finding[]> {
  const findings = [
    ...(existsSync(config.paths.templates) ? await checkTemplates(config, templates, clock()) : []),
    ...checkAddresses(config),
    ...checkMetrics(config),
    ...checkFolders(config),
    ...readableByOthers(config).map(warning),
    ...(await checkLegalTexts(config)),
    ...CAPABILITIES.flatMap(({ checks }) => checks?.config?.(config) ?? []),
    ...(await checkContent(store, config, clock())),
  ];
  return findings.filter(({ kind }) => kind === 'problem' || (kind === 'warning' && !config.sample));
}
