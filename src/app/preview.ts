/**
 * The edition that would go out now, as files or as a test copy by email. Nothing is closed, queued or recorded.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NewsletterConfig } from '../config/config.ts';
import { loadSigners } from '../delivery/message/dkim.ts';
import { prepareTestCopy } from '../delivery/message/test-copy.ts';
import { openTransport } from '../delivery/transport/open-transport.ts';
import { type ComposedEdition, composeEdition } from '../editions/compose.ts';
import { fillHtml, fillText } from '../editions/rendering/placeholders.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../lib/private-files.ts';
import { localDate } from '../lib/time.ts';
import { parseAddress } from '../subscribers/address.ts';
import type { AppContext } from './app-context.ts';
import { slotNamed } from './compose.ts';

export interface Preview {
  kind: 'written';
  composed: ComposedEdition;
  htmlPath: string;
  textPath: string;
  /** The text version. */
  text: string;
}

type Skipped = { kind: 'skipped'; reason: string };

/**
 * Writes `<data folder>/preview/<newsletter>.html` and `.txt`.
 * @param slot the slot to compose, such as `2026-11-24`; default: the next edition, even where today's is closed
 * @throws SlotError where the newsletter has no such slot
 */
export async function writePreview(
  app: AppContext,
  newsletter: NewsletterConfig,
  slot?: string,
): Promise<Preview | Skipped> {
  const composed = await composeUnrecorded(app, newsletter, slot);
  if (composed.kind === 'skipped') return composed;
  const { paths, publication } = app.config;
  const values = {
    unsubscribe: `${publication.url}/unsubscribe/preview`,
    preferences: `${publication.url}/preferences/preview`,
  };
  const folder = join(paths.data, 'preview');
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  const [htmlPath, textPath] = [join(folder, `${newsletter.id}.html`), join(folder, `${newsletter.id}.txt`)];
  const text = fillText(composed.text, composed.nonce, values);
  // New files: an existing one could be readable by other users.
  for (const path of [htmlPath, textPath]) rmSync(path, { force: true });
  writeFileSync(htmlPath, fillHtml(composed.html, composed.nonce, values), { mode: PRIVATE_FILE });
  writeFileSync(textPath, text, { mode: PRIVATE_FILE });
  return { kind: 'written', composed, htmlPath, textPath, text };
}

/**
 * Mails a marked copy of the edition to one address.
 * @throws TransportError where the server rejects it; Error for an invalid address; SlotError
 */
export async function sendTestCopy(
  app: AppContext,
  newsletter: NewsletterConfig,
  { to, slot }: { to: string; slot?: string | undefined },
): Promise<{ kind: 'submitted'; reply: string } | Skipped> {
  const { config } = app;
  const address = parseAddress(to);
  if (address.kind === 'invalid') throw new Error(`${to}: ${address.reason}`);
  const composed = await composeUnrecorded(app, newsletter, slot);
  if (composed.kind === 'skipped') return composed;
  const message = await prepareTestCopy(composed, newsletter, config, loadSigners(config), address.email);
  const connection = await openTransport(config).connect();
  try {
    return { kind: 'submitted', reply: await connection.submit(message) };
  } finally {
    connection.close();
  }
}

async function composeUnrecorded(
  app: AppContext,
  newsletter: NewsletterConfig,
  slotLabel?: string,
): Promise<ComposedEdition | Skipped> {
  const { store, config, templates, clock } = app;
  const now = clock();
  const slot =
    slotLabel === undefined
      ? // No schedule gives this label, so that the closed edition of today does not hide the next one.
        { label: `${localDate(now, config.publication.zone)}-preview`, slotAt: now }
      : await slotNamed(app, newsletter, now, slotLabel);
  const nonce = randomBytes(16).toString('hex');
  const composed = await composeEdition(store, config, templates, newsletter, { slot, cutoffAt: now, now, nonce });
  if (composed.kind !== 'closed') return composed;
  return { kind: 'skipped', reason: `the edition of ${slot.label} is closed; without --slot the next one is used` };
}
