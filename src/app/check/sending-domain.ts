/**
 * Checks the records of the sending domain.
 */

import type { Config } from '../../core/config/config.ts';
import { type Finding, ok, warning } from '../../core/finding.ts';
import type { Signer } from '../../core/keys.ts';
import { loadSigners } from '../../delivery/message/dkim.ts';
import { judgeSetup } from '../../delivery/sending-domain/judge-setup.ts';
import type { OpenSendingProbes } from '../../delivery/sending-domain/probes.ts';
import { sendingSetup } from '../../delivery/sending-domain/sending-setup.ts';

/** daywire works whatever the DNS says, so nothing is a problem. What other checks report is left out. */
const CHECKED_ELSEWHERE = ['one-click'];

/** @param now epoch milliseconds */
export async function checkSendingDomain(config: Config, open: OpenSendingProbes, now: number): Promise<Finding[]> {
  if (config.delivery.transport !== 'smtp' || config.newsletters.length === 0) return [];
  let signers: Signer[];
  try {
    signers = loadSigners(config);
  } catch {
    // The check of the keys has reported it.
    return [];
  }
  const { judgements: all } = await judgeSetup(sendingSetup(config, signers), open(), now);
  const judgements = all.filter(({ id }) => !CHECKED_ELSEWHERE.includes(id));
  const failed = judgements.filter(({ verdict }) => verdict === 'fail');
  const findings = failed.map(({ id, message }) => warning(`sending domain: ${id}: ${message}`));
  const passed = judgements.filter(({ verdict }) => verdict === 'pass');
  const unknown = judgements.filter(({ verdict }) => verdict === 'unknown');
  if (passed.length > 0) findings.push(ok(`sending domain: right: ${namesOf(passed)}`));
  if (unknown.length > 0) {
    findings.push(ok(`sending domain: not known: ${namesOf(unknown)}; "daywire domain" says why`));
  }
  if (failed.length > 0) findings.push(ok('sending domain: "daywire domain" prints the records that are missing'));
  return findings;
}

/** `spf, dkim (2)`. */
function namesOf(judgements: readonly { id: string }[]): string {
  return [...Map.groupBy(judgements, ({ id }) => id)]
    .map(([id, those]) => (those.length > 1 ? `${id} (${those.length})` : id))
    .join(', ');
}
