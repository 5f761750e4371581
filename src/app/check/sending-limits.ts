/**
 * Compares the limits of delivery with those that the mail provider documents.
 */
import type { Config } from '../../core/config/config.ts';
import { type Finding, ok, warning } from '../../core/finding.ts';
import { presetOf } from '../../delivery/providers/presets.ts';

export function checkSendingLimits({ delivery }: Pick<Config, 'delivery'>): Finding[] {
  const preset = presetOf(delivery);
  if (preset === null) return [];
  const { perSecond, perDay, connections, dkim } = delivery;
  const { name, messageBytes, messagesPerConnection, quotas } = preset;
  const documented = [
    ...(messageBytes === null ? [] : [`${messageBytes / 1_000_000} MB a message`]),
    ...(preset.connections === null ? [] : [`${preset.connections} connections`]),
    ...(messagesPerConnection === null ? [] : [`${messagesPerConnection} messages a connection`]),
  ];
  const configured = [
    `${connections} connections of each process`,
    ...(perSecond === undefined ? [] : [`${perSecond} messages a second`]),
    ...(perDay === undefined ? [] : [`${perDay} messages in 24 hours`]),
  ];
  const findings = [
    ok(`delivery: ${configured.join(', ')}; ${name} documents: ${documented.join(', ') || 'no limits'}`),
  ];
  if (preset.connections !== null && connections > preset.connections) {
    findings.push(
      warning(
        `delivery.connections is ${connections}: ${name} asks for at most ${preset.connections} from one address`,
      ),
    );
  }
  const missing = [
    ...(perSecond === undefined ? ['delivery.perSecond'] : []),
    ...(perDay === undefined ? ['delivery.perDay'] : []),
  ];
  if (quotas !== null && missing.length > 0) {
    findings.push(
      warning(
        `${missing.join(' and ')}: not set, although ${name} refuses what exceeds the quotas of your account ` +
          `(${quotas}). Set ${missing.length > 1 ? 'them' : 'it'} to your quota`,
      ),
    );
  }
  if (delivery.provider === 'postmark' && dkim.length > 0) {
    findings.push(
      warning(
        'delivery.dkim is not used: Postmark assembles each message anew, which breaks a signature of ours. It signs ' +
          'for your domain with its own key',
      ),
    );
  }
  return findings;
}
