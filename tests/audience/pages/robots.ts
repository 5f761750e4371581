/** Requests to subscribe by programs. */
import type { Config } from '../../../src/core/config/config.ts';
import { sampleConfig } from '../../support/sample.ts';

export type Fields = [name: string, value: string][];

/** The listed site. */
export const TIMES = 'https://times.example';
/** The origin of the sample. */
export const OWN = 'http://127.0.0.1:8080';

/** The sample configuration with a listed site. */
export function listed(changes: Partial<Config['signup']> = {}, edit?: (yaml: string) => string): Config {
  const config = sampleConfig(edit);
  return { ...config, signup: { ...config.signup, origins: [TIMES], ...changes } };
}

/** What a robot adds to a complete form, its headers, and the status of the response. */
type Robot = [fields: Fields, headers: Record<string, string>, status: 200 | 403];

const JSON_HEADERS = { Accept: 'application/json' };
const ELAPSED = ['0', '1499', '-1', '1e9', '99999.5', ' 2000', '', 'NaN', '9'.repeat(13)];
const FORGED = ['https://evil.example', 'null', '*', `${TIMES}.evil.example`, `${TIMES}:8443`, `${TIMES}/`, ''];

export const ROBOTS: readonly Robot[] = [
  [[['website', 'https://spam.example/']], { Origin: TIMES }, 200],
  [[['website', 'x']], { Origin: OWN, ...JSON_HEADERS }, 200],
  ...ELAPSED.map((elapsed): Robot => [[['elapsed', elapsed]], { Origin: TIMES, ...JSON_HEADERS }, 200]),
  ...FORGED.map((origin): Robot => [[], { Origin: origin, ...JSON_HEADERS }, 403]),
  [[], { Origin: 'http://times.example' }, 403],
  [[], {}, 403],
  [[], { 'Sec-Fetch-Site': 'same-origin' }, 403],
  [[], { Origin: TIMES, 'Sec-Fetch-Site': 'same-origin' }, 403],
  [[], { Origin: TIMES, 'Sec-Fetch-Site': 'none' }, 403],
  [[], { Origin: OWN, 'Sec-Fetch-Site': 'cross-site' }, 403],
  [[], { Referer: `${TIMES}/`, Host: 'times.example', ...JSON_HEADERS }, 403],
];
