/**
 * The rules of the configuration that more than one key has a part in.
 */

import { contrastRatio } from './contrast.ts';
import type { FileConfig } from './schema.ts';

export interface CrossProblem {
  path: PropertyKey[];
  rule: string;
  /** The value holds a secret. */
  hidden?: boolean;
}

/** What emails and pages stand on. */
const PAPER = { light: '#fbfaf7', dark: '#161513' };
const READABLE = 4.5;

// RFC 5321 §4.5.3.1.1 gives a local part 64 octets; a plus sign and a token of 40 (subscribers/tokens.ts) are put behind this one.
const MAILBOX_LIMIT = 64 - 1 - 40;

/** What breaks a rule, in no order. */
export function crossChecks(config: FileConfig): CrossProblem[] {
  const problems: CrossProblem[] = [];
  const unique = (key: 'sections' | 'feeds' | 'newsletters'): void => {
    const seen = new Set<string>();
    config[key].forEach((entry, index) => {
      if (seen.has(entry.id)) problems.push({ path: [key, index, 'id'], rule: `must be unique among ${key}` });
      seen.add(entry.id);
    });
  };
  unique('sections');
  unique('feeds');
  unique('newsletters');
  const sections = config.sections.map((s) => s.id);
  config.feeds.forEach((entry, index) => {
    if (entry.id === 'feeds' || entry.id === 'index' || entry.id === 'custom') {
      problems.push({
        path: ['feeds', index, 'id'],
        rule: 'must not be "feeds" or "index", which name the list of feeds, or "custom", the feed that readers put together',
      });
    }
    entry.select.sections?.forEach((section, at) => {
      if (!sections.includes(section)) {
        problems.push({
          path: ['feeds', index, 'select', 'sections', at],
          rule: `must be one of the sections: ${sections.join(', ')}`,
        });
      }
    });
  });
  for (const scheme of ['light', 'dark'] as const) {
    const ratio = contrastRatio(config.publication.accent[scheme], PAPER[scheme]);
    if (ratio < READABLE) {
      problems.push({
        path: ['publication', 'accent', scheme],
        rule: `must have a contrast of at least ${READABLE} on ${PAPER[scheme]} (WCAG AA); it has ${ratio.toFixed(1)}`,
      });
    }
  }
  if (config.hub?.url.replace(/\/+$/, '') === `${config.publication.url.replace(/\/+$/, '')}/hub`) {
    problems.push({ path: ['hub'], rule: 'must be written as self: this is the address of the embedded hub' });
  }
  if (config.hub !== undefined && config.hub.url !== 'self' && config.hub.allowPrivateNetworks.length > 0) {
    problems.push({
      path: ['hub', 'allowPrivateNetworks'],
      rule: 'must be left out: another hub calls its subscribers by itself; it goes with "url: self"',
    });
  }
  const { smtpUrl } = config.delivery;
  if (smtpUrl !== undefined && new URL(smtpUrl).password !== '') {
    problems.push({
      path: ['delivery', 'smtpUrl'],
      hidden: true,
      rule: 'must hold no password here: set DAYWIRE_SMTP_URL, or DAYWIRE_SMTP_URL_FILE',
    });
  }
  const { address } = config.bounces;
  if (address !== undefined && address.lastIndexOf('@') > MAILBOX_LIMIT) {
    problems.push({
      path: ['bounces', 'address'],
      rule: `must have at most ${MAILBOX_LIMIT} characters before the @, so that a token has room behind them`,
    });
  }
  // A token and its plus sign take 41 characters of the 254 that an address may have (RFC 5321 §4.5.3.1.3).
  if (address !== undefined && address.length > 254 - 41) {
    problems.push({
      path: ['bounces', 'address'],
      rule: 'must have at most 213 characters, so that a token has room in it',
    });
  }
  return problems;
}
