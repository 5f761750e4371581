/**
 * Checks the postal address, and the public address of the site, as emails show them.
 */
import type { Config } from '../../core/config/config.ts';
import { type Finding, warning } from '../../core/finding.ts';

/** Of the sample's configuration, and of the one that `init` writes. */
const PLACEHOLDER_ADDRESS = /1 Sample Road|\(your postal address\)/;

export function checkAddresses({ publication, newsletters, delivery }: Config): Finding[] {
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
