/**
 * Where messages go: to files, or to an SMTP server.
 */
import type { Config } from '../../config/config.ts';
import { type Transport, transportConfigError } from './connection.ts';
import { openFileTransport } from './file-transport.ts';
import { openSmtpTransport } from './smtp-transport.ts';

/**
 * The transport that the configuration names. It opens nothing yet.
 * @throws TransportError where the configuration cannot work: no server named, or a URL with parts that have no meaning here
 */
export function openTransport(config: Pick<Config, 'delivery' | 'secrets' | 'paths'>): Transport {
  const { transport, connections } = config.delivery;
  if (transport === 'file') return openFileTransport(config.paths.data, connections);
  const url = config.secrets.smtpUrl ?? config.delivery.smtpUrl;
  if (url === undefined) {
    throw transportConfigError(
      'delivery.transport is smtp, and no server is named: set DAYWIRE_SMTP_URL or delivery.smtpUrl',
    );
  }
  return openSmtpTransport(url, connections);
}
