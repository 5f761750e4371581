/**
 * Pre-flight checks: configuration, templates, store, signing secret, folders, DKIM keys, the records of the sending
 * domain, and the logins to the mailbox and the SMTP server, each tried as daywire itself uses it. Nothing is changed.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AppContext, ProcessEnv } from '../../core/app-context.ts';
import { type Config, ConfigError, loadConfig } from '../../core/config/config.ts';
import { readableByOthers } from '../../core/config/private-paths.ts';
import { readSigningSecrets } from '../../core/config/signing-secrets.ts';
import { type Finding, firstLine, ok, problem, warning } from '../../core/finding.ts';
import { verifySigningSecrets } from '../../core/signing-secret.ts';
import { type SchemaState, schemaState } from '../../core/store/schema.ts';
import { openStore, type Store } from '../../core/store/store.ts';
import { checkSendingDomain } from '../../delivery/checks.ts';
import type { OpenResolver } from '../../delivery/sending-domain/dns-resolver.ts';
import { checkLegalTexts } from '../../front/legal-document.ts';
import { openTemplates } from '../../lib/templates.ts';
import { checkIcon } from '../../web/pages/icons.ts';
import { CAPABILITIES } from '../capabilities.ts';
import { languageWarnings } from '../locales/languages.ts';
import { ownTemplateWarnings } from '../templates/own-templates.ts';
import { checkPages } from '../templates/page-problems.ts';
import { checkTemplates } from '../templates/template-problems.ts';
import { checkAddresses, checkFolders, checkMetrics, isWritable } from './config.ts';

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
    ...(await checkTemplates(
      config,
      openTemplates(config.paths.templates, config.publication.zone, config.ownMessages),
      clock(),
    )),
    ...ownTemplateWarnings(config.paths.templates).map(warning),
    ...languageWarnings(config).map(warning),
    ...(await checkStore(config, clock())),
    ...checkFolders(config),
    ...readableByOthers(config).map(warning),
    ...(await checkLegalTexts(config)),
    ...(await checkIcon(config)),
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

/**
 * Checks the store, and compares the configured signing secret with the one of the store; without a store that can be
 * read, only reads it. On SQLite, the first start creates a missing secret.
 */
async function checkStore(config: Config, now: number): Promise<Finding[]> {
  const { databaseUrl } = config.secrets;
  const { store: file } = config.paths;
  if (databaseUrl === undefined && !existsSync(file)) {
    const canCreate = isWritable(dirname(file));
    return [
      ...(await checkSecret(config, null)),
      canCreate
        ? ok(`store: the first start creates ${file}`)
        : problem(`paths.store is ${file}: its folder cannot be written`),
    ];
  }
  try {
    const store = await openStore({ databaseUrl, path: file });
    try {
      return await checkSchema(store, config, now);
    } finally {
      await store.close();
    }
  } catch (error) {
    return [...(await checkSecret(config, null)), problem(`store: ${firstLine(error)}`)];
  }
}

async function checkSchema(store: Store, config: Config, now: number): Promise<Finding[]> {
  const state = await schemaState(store);
  const secret = await checkSecret(config, state.kind === 'current' ? store : null);
  return [...secret, ...(await findingsOf(state, store, config, now))];
}

async function findingsOf(state: SchemaState, store: Store, config: Config, now: number): Promise<Finding[]> {
  switch (state.kind) {
    case 'current':
      return [ok(`store: ${store.location}, schema up to date`), ...(await checkContent(store, config, now))];
    case 'empty':
      return [ok(`store: ${store.location} is empty; the first start creates its schema`)];
    case 'stale':
      return [problem(`store: ${store.location} lacks ${state.missing.join(', ')}: run "daywire migrate"`)];
    case 'newer':
      return [problem(`store: ${store.location} belongs to a newer daywire: it has ${state.unknown.join(', ')}`)];
  }
}

/** In the order in which they are printed. */
async function checkContent(store: Store, config: Config, now: number): Promise<Finding[]> {
  const findings = await checkPages(config, store, now);
  for (const { checks } of CAPABILITIES) findings.push(...((await checks?.content?.(store, config, now)) ?? []));
  return findings;
}

/** @param store of this version; null without one */
async function checkSecret(config: Config, store: Store | null): Promise<Finding[]> {
  try {
    const dialect = config.secrets.databaseUrl === undefined ? 'sqlite' : 'postgres';
    if (store === null) readSigningSecrets(config, dialect);
    else await verifySigningSecrets(config, store.db, dialect);
    return [];
  } catch (error) {
    return [problem(`signing secret: ${(error as Error).message}`)];
  }
}
