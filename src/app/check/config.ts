/**
 * Checks what the configuration says, against this machine and what emails need: folders and files, the listener of
 * metrics, addresses.
 */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import { type Finding, ok, problem, warning } from '../../core/finding.ts';
import { openAddressGuard } from '../../lib/guarded-fetch/address-guard.ts';

export function checkFolders(config: Config): Finding[] {
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

/** Emails and podcast apps would show an empty frame. */
function checkPictures({ paths: { media }, publication: { logo, cover }, newsletters, feeds }: Config): Finding[] {
  const pictures: [key: string, file: string | undefined][] = [
    ['publication.logo.url', logo?.url],
    ['publication.logo.darkUrl', logo?.darkUrl],
    ['publication.cover', cover],
  ];
  for (const { id, sponsor } of newsletters)
    pictures.push([`newsletters ${id}: sponsor.image.file`, sponsor?.image?.file]);
  for (const { id, podcast } of feeds) pictures.push([`feeds ${id}: podcast.image`, podcast?.image]);
  return pictures.flatMap(([key, file]) =>
    file === undefined || media === undefined || /^https?:/.test(file) || existsSync(join(media, file))
      ? []
      : [problem(`${key} is ${file}: there is no such file in ${media}`)],
  );
}

/** Whether the folder, or the nearest existing one above it, can be written. */
export function isWritable(path: string): boolean {
  if (!existsSync(path)) return dirname(path) !== path && isWritable(dirname(path));
  try {
    accessSync(path, constants.W_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

const guard = openAddressGuard();
const EVERY_INTERFACE = ['0.0.0.0', '::'];

/** A name, or an address of the operator's network, is a choice; one that the Internet may reach needs a token. */
export function checkMetrics({ server: { metrics }, secrets }: Config): Finding[] {
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

/** Placeholders for the postal address, in the sample's configuration and in the one that `init` writes. */
const PLACEHOLDER_ADDRESS = /1 Sample Road|\(your postal address\)/;

export function checkAddresses({ publication, newsletters, delivery }: Config): Finding[] {
  const { protocol, hostname } = new URL(publication.url);
  if (newsletters.length === 0) return [];
  const found: string[] = [];
  if (PLACEHOLDER_ADDRESS.test(publication.postalAddress)) {
    found.push(
      `publication.postalAddress is ${publication.postalAddress}: every email shows it, and many countries require ` +
        'the real one by law',
    );
  }
  for (const { id, postalAddress } of newsletters) {
    if (postalAddress === undefined || !PLACEHOLDER_ADDRESS.test(postalAddress)) continue;
    found.push(`newsletters ${id}: postalAddress is ${postalAddress}: every email shows it`);
  }
  if (protocol === 'https:' && delivery.transport === 'file') {
    found.push(
      `delivery.transport is file although publication.url is ${publication.url}: messages are written to files ` +
        'and reach nobody; set it to smtp',
    );
  }
  if (protocol !== 'https:') {
    found.push(
      `publication.url is ${publication.url}: one-click unsubscribe (RFC 8058) needs https, and large mailbox ` +
        'providers require it; messages go out without List-Unsubscribe-Post',
    );
  }
  if (/^(localhost|127\.|\[?::1)/.test(hostname)) {
    found.push(`publication.url is ${publication.url}: links in emails work only on this machine`);
  }
  return found.map(warning);
}
