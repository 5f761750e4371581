/** Chooses the transport: files or an SMTP server. */
import { type Config, ConfigError } from '../../core/config/config.ts';
import type { Transport } from './connection.ts';
import { openFileTransport } from './file-transport.ts';
import { openSmtpTransport } from './smtp-transport.ts';

/**
 * Returns the configured transport. No connection is opened yet.
 * @throws ConfigError if no server is configured, or its URL has parts without a meaning
 */
export function openTransport(config: Pick<Config, 'delivery' | 'secrets' | 'paths'>): Transport {
  const { transport, connections, provider } = config.delivery;
  if (transport === 'file') return openFileTransport(config.paths.data, connections);
  const url = config.secrets.smtpUrl ?? config.delivery.smtpUrl;
  if (url === undefined) {
    throw new ConfigError([
      'delivery.transport is smtp, but no server is configured: set DAYWIRE_SMTP_URL or delivery.smtpUrl',
    ]);
  }
  return openSmtpTransport(url, connections, undefined, provider);
}
