/**
 * The edition that would go out now, written to files to look at. Nothing is closed, queued or recorded.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NewsletterConfig } from '../config/config.ts';
import { composeEdition } from '../editions/compose.ts';
import { fillHtml, fillText } from '../editions/rendering/placeholders.ts';
import { localDate } from '../lib/time.ts';
import type { AppContext } from './app-context.ts';

export type Preview = { kind: 'written'; htmlPath: string; textPath: string } | { kind: 'skipped'; reason: string };

/** Writes `<var>/preview/<newsletter>.html` and `.txt`. */
export async function preview(app: AppContext, newsletter: NewsletterConfig): Promise<Preview> {
  const { store, config, templates, clock } = app;
  const now = clock();
  // A label no schedule gives, so that today's closed edition does not stand in the way of the next one's preview.
  const slot = { label: `${localDate(now, config.publication.zone)}-preview`, slotAt: now };
  const nonce = randomBytes(16).toString('hex');
  const composed = await composeEdition(store, config, templates, newsletter, { slot, cutoffAt: now, now, nonce });
  if (composed.kind === 'skipped') return composed;
  if (composed.kind === 'closed') throw new Error(`the slot ${slot.label} was closed`);
  const { url } = config.publication;
  const values = { unsubscribe: `${url}/unsubscribe/preview`, preferences: `${url}/preferences/preview` };
  const folder = join(config.paths.data, 'preview');
  mkdirSync(folder, { recursive: true });
  const [htmlPath, textPath] = [join(folder, `${newsletter.id}.html`), join(folder, `${newsletter.id}.txt`)];
  writeFileSync(htmlPath, fillHtml(composed.html, nonce, values));
  writeFileSync(textPath, fillText(composed.text, nonce, values));
  return { kind: 'written', htmlPath, textPath };
}
