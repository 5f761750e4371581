/**
 * Pre-flight checks: configuration, templates, store, signing secret, folders, DKIM keys, and the logins to the mailbox
 * and the SMTP server, each tried as daywire itself uses it. Nothing is changed.
 */

import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Config, ConfigError, loadConfig } from '../config/config.ts';
import { openConfiguredClient } from '../config/fetching.ts';
import { readableByOthers } from '../config/private-paths.ts';
import { sourceKey } from '../config/source-keys.ts';
import { articleSources } from '../config/sources.ts';
import { verifyMailbox } from '../delivery/bounces/mailbox.ts';
import { loadSigners, type Signer, signersOf } from '../delivery/message/dkim.ts';
import { openTransport } from '../delivery/transport/open-transport.ts';
import { describeUntrustedProxy, findUntrustedProxy } from '../http/server/untrusted-proxy.ts';
import { openAddressGuard } from '../lib/guarded-fetch/address-guard.ts';
import { openTemplates, type Templates } from '../lib/templates.ts';
import { discoverApi } from '../sources/discover.ts';
import { PollError } from '../sources/request.ts';
import { apiName } from '../sources/source-state.ts';
import { schemaState } from '../store/schema.ts';
import { openStore, type Store } from '../store/store.ts';
import { wireAddress } from '../subscribers/address.ts';
import { countSubscriptions } from '../subscribers/subscriptions.ts';
import type { AppContext, ProcessEnv } from './app-context.ts';
import { findUnconfigured, unconfiguredMessage } from './delivery/waiting-alerts.ts';
import { findStrandedDrafts } from './drafts/stranded-drafts.ts';
import { outletWarnings } from './roundup/check-outlets.ts';
import { secretProblems } from './secret-problems.ts';
import { ownTemplateWarnings } from './templates/own-templates.ts';
import { templateProblems } from './templates/template-problems.ts';

export interface Finding {
  /** daywire works in spite of a warning. */
  kind: 'ok' | 'warning' | 'problem';
  message: string;
}

const ok = (message: string): Finding => ({ kind: 'ok', message });
const warning = (message: string): Finding => ({ kind: 'warning', message });
const problem = (message: string): Finding => ({ kind: 'problem', message });

/** Does all checks, whatever fails; after an invalid configuration there is nothing else to check. */
export async function check({ configFile, env, cwd, clock }: ProcessEnv): Promise<Finding[]> {
  let config: Config;
  try {
    config = loadConfig(configFile, env, cwd);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(problem);
    throw error;
  }
  return [
    ok(`configuration ${configFile} is valid`),
    ...checkAddress(config),
    ...checkMetrics(config),
    ...(await checkTemplates(config, openTemplates(config.paths.templates, config.publication.zone), clock())),
    ...ownTemplateWarnings(config.paths.templates).map(warning),
    ...(await secretProblems(config)).map(problem),
    ...(await checkStore(config, clock())),
    ...checkFolders(config),
    ...readableByOthers(config).map(warning),
    ...checkSigning(config),
    ...(await checkBounces(config)),
    ...(await checkTransport(config)),
    ...(await checkSources(config, clock())),
  ];
}

/**
 * What is wrong with the configuration and the store of a process that starts, without the templates and the logins.
 * The sample newsroom is for a trial: only its problems are named.
 */
export async function checkAtStart({ config, store, clock }: AppContext): Promise<Finding[]> {
  const findings = [
    ...checkAddress(config),
    ...checkMetrics(config),
    ...checkFolders(config),
    ...readableByOthers(config).map(warning),
    ...checkSigning(config),
    ...(await checkContent(store, config, clock())),
  ];
  return findings.filter(({ kind }) => kind === 'problem' || (kind === 'warning' && !config.sample));
}

/** Of the sample's configuration, and of the one that `init` writes. */
const PLACEHOLDER_ADDRESS = /1 Sample Road|\(your postal address\)/;

function checkAddress({ publication, newsletters, delivery }: Config): Finding[] {
  const { protocol, hostname } = new URL(publication.url);
  if (newsletters.length === 0) return [];
  const findings: Finding[] = [];
  if (PLACEHOLDER_ADDRESS.test(publication.postalAddress)) {
    findings.push(
      warning(
        `publication.postalAddress is ${publication.postalAddress}: every email shows it, and many countries require ` +
          'the real one by law',
      ),
    );
  }
  for (const { id, postalAddress } of newsletters) {
    if (postalAddress === undefined || !PLACEHOLDER_ADDRESS.test(postalAddress)) continue;
    findings.push(warning(`newsletters ${id}: postalAddress is ${postalAddress}: every email shows it`));
  }
  if (protocol === 'https:' && delivery.transport === 'file') {
    findings.push(
      warning(
        `delivery.transport is file although publication.url is ${publication.url}: messages are written to files ` +
          'and reach nobody; set it to smtp',
      ),
    );
  }
  if (protocol !== 'https:') {
    findings.push(
      warning(
        `publication.url is ${publication.url}: one-click unsubscribe (RFC 8058) needs https, and large mailbox ` +
          'providers require it; messages go out without List-Unsubscribe-Post',
      ),
    );
  }
  if (/^(localhost|127\.|\[?::1)/.test(hostname)) {
    findings.push(warning(`publication.url is ${publication.url}: links in emails work only on this machine`));
  }
  return findings;
}

const guard = openAddressGuard();
const EVERY_INTERFACE = ['0.0.0.0', '::'];

/** A name, or an address of the operator's network, is a choice; one that the Internet may reach needs a token. */
function checkMetrics({ server: { metrics }, secrets }: Config): Finding[] {
  if (metrics === null || secrets.metricsToken !== undefined) return [];
  const { host, port } = metrics;
  if (!EVERY_INTERFACE.includes(host) && guard(host, 443) !== null) return [];
  return [
    warning(
      `server.metrics listens on ${host}, port ${port}: everyone who can reach it reads the metrics; set ` +
        'DAYWIRE_METRICS_TOKEN, or an address of your own network',
    ),
  ];
}

/** Renders all templates that are used, with sample data. */
export async function checkTemplates(config: Config, templates: Templates, now: number): Promise<Finding[]> {
  const problems = await templateProblems(config, templates, now);
  return problems.length > 0 ? problems.map(problem) : [ok('templates: all parse, and all that are used render')];
}

async function checkStore(config: Config, now: number): Promise<Finding[]> {
  const { databaseUrl } = config.secrets;
  const { store: file } = config.paths;
  if (databaseUrl === undefined && !existsSync(file)) {
    return isWritable(dirname(file))
      ? [ok(`store: the first start creates ${file}`)]
      : [problem(`paths.store is ${file}: its folder cannot be written`)];
  }
  try {
    const store = await openStore({ databaseUrl, path: config.paths.store });
    try {
      return await checkSchema(store, config, now);
    } finally {
      await store.close();
    }
  } catch (error) {
    return [problem(`store: ${firstLine(error)}`)];
  }
}

async function checkSchema(store: Store, config: Config, now: number): Promise<Finding[]> {
  const state = await schemaState(store);
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

async function checkContent(store: Store, config: Config, now: number): Promise<Finding[]> {
  return [
    ...(await checkNewsletters(store, config)),
    ...(await checkDrafts(store, config, now)),
    ...(await checkSubscribers(store, config)),
    ...(await checkProxies(store, config, now)),
    ...(await outletWarnings(store, config)).map(warning),
  ];
}

async function checkSubscribers({ db }: Store, { newsletters }: Config): Promise<Finding[]> {
  const counts = await countSubscriptions(db);
  const isSubscribed = (id: string): boolean =>
    counts.some(({ newsletter, state, count }) => newsletter === id && state === 'confirmed' && count > 0);
  return newsletters
    .filter(({ id }) => !isSubscribed(id))
    .map(({ id }) => warning(`newsletters ${id}: nobody is subscribed, so its editions reach nobody`));
}

async function checkNewsletters(store: Store, config: Config): Promise<Finding[]> {
  return (await findUnconfigured({ store, config })).map((one) => warning(`newsletters: ${unconfiguredMessage(one)}`));
}

async function checkDrafts(store: Store, config: Config, now: number): Promise<Finding[]> {
  return [...(await findStrandedDrafts({ store, config }, now)).values()].map((one) => warning(`drafts: ${one}`));
}

async function checkProxies({ db }: Store, { server }: Config, now: number): Promise<Finding[]> {
  const found = await findUntrustedProxy(db, server.trustedProxies, now);
  return found === null ? [] : [warning(`server: ${describeUntrustedProxy(found)}`)];
}

function checkFolders(config: Config): Finding[] {
  const {
    paths,
    import: { watch },
  } = config;
  const findings: Finding[] = [];
  for (const [key, path] of [
    ['paths.feeds', paths.feeds],
    ['paths.data', paths.data],
  ] as const) {
    if (!isWritable(path)) findings.push(problem(`${key} is ${path}: it cannot be written`));
  }
  const read: [key: string, path: string][] = watch.map((path) => ['import.watch', path]);
  if (paths.media !== undefined) read.push(['paths.media', paths.media]);
  for (const [key, path] of read) {
    if (!existsSync(path)) findings.push(problem(`${key} is ${path}: there is no such file or folder`));
  }
  findings.push(...checkPictures(config));
  return findings.length > 0 ? findings : [ok(`folders: ${paths.feeds} and ${paths.data} can be written`)];
}

/** Emails would show an empty frame. */
function checkPictures({ paths: { media }, publication: { logo }, newsletters }: Config): Finding[] {
  const pictures: [key: string, file: string | undefined][] = [
    ['publication.logo.url', logo?.url],
    ['publication.logo.darkUrl', logo?.darkUrl],
    ...newsletters.map(({ id, sponsor }): [string, string | undefined] => [
      `newsletters ${id}: sponsor.image.file`,
      sponsor?.image?.file,
    ]),
  ];
  return pictures.flatMap(([key, file]) =>
    file === undefined || media === undefined || /^https?:/.test(file) || existsSync(join(media, file))
      ? []
      : [problem(`${key} is ${file}: there is no such file in ${media}`)],
  );
}

function checkSigning(config: Config): Finding[] {
  let signers: Signer[];
  try {
    signers = loadSigners(config);
  } catch (error) {
    return [problem(`delivery.dkim: ${firstLine(error)}`)];
  }
  if (config.delivery.transport === 'file') return [];
  return config.newsletters.map(({ id, from }) => {
    const domain = wireAddress(from.email).replace(/^.*@/, '').toLowerCase();
    const names = signersOf(signers, domain).map((one) => `${one.selector}._domainkey.${one.domain}`);
    return names.length > 0
      ? ok(`newsletters ${id}: mail from ${domain} is signed by ${names.join(' and ')}, which must be in the DNS`)
      : warning(
          `newsletters ${id}: no key of delivery.dkim signs mail from ${domain}: unless your mail server signs it, ` +
            'large mailbox providers reject it and ignore its one-click unsubscribe',
        );
  });
}

async function checkBounces({ bounces, secrets, delivery, newsletters }: Config): Promise<Finding[]> {
  if (delivery.transport === 'file' || newsletters.length === 0) return [];
  const { address } = bounces;
  if (address === undefined) {
    return [
      warning('bounces.address is not set: bounces go to the sender, and invalid addresses are never suppressed'),
    ];
  }
  const { imapUrl, webhookSecret } = secrets;
  if (imapUrl === undefined) {
    const condition = webhookSecret === undefined ? ', if your mail server pipes its mail into "daywire bounce"' : '';
    return [ok(`bounces: ${address}${condition}`)];
  }
  try {
    await verifyMailbox(imapUrl);
    return [ok(`bounces: ${address}, and its mailbox can be read`)];
  } catch (error) {
    return [problem(`bounces: ${firstLine(error)}`)];
  }
}

async function checkTransport(config: Config): Promise<Finding[]> {
  if (config.newsletters.length === 0) return [];
  try {
    await openTransport(config).verify();
    const { transport } = config.delivery;
    return [
      ok(
        transport === 'file'
          ? 'delivery: messages are written to files'
          : 'delivery: the SMTP server accepts the login',
      ),
    ];
  } catch (error) {
    return [problem(`delivery: ${firstLine(error)}`)];
  }
}

/** Looks for what is polled. A site that is away is no fault of this installation. */
async function checkSources(config: Config, now: number): Promise<Finding[]> {
  const requester = { client: openConfiguredClient(config), now };
  const findings = articleSources(config).map(async ({ id, url, api: wanted }): Promise<Finding[]> => {
    try {
      const source = { url, api: wanted, key: sourceKey(config, id) };
      const { api, endpoint, notes } = await discoverApi(requester, source);
      const found = ok(`sources ${id}: ${apiName(api)} at ${endpoint}`);
      return [found, ...notes.map((note) => warning(`sources ${id}: ${note}`))];
    } catch (error) {
      if (error instanceof PollError) return [warning(`sources ${id}: ${error.message}`)];
      throw error;
    }
  });
  return (await Promise.all(findings)).flat();
}

/** Whether the folder, or the nearest existing one above it, can be written. */
function isWritable(path: string): boolean {
  if (!existsSync(path)) return dirname(path) !== path && isWritable(dirname(path));
  try {
    accessSync(path, constants.W_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
