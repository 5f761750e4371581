/** Previews of editions as files. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppContext } from '../core/app-context.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../lib/private-files.ts';
import type { ComposedEdition } from './compose.ts';
import { fillHtml, fillText } from './rendering/placeholders.ts';

/** Replaces a subscriber's own links in a preview: they lead nowhere. */
export function previewLinks(publicUrl: string): { unsubscribe: string; preferences: string } {
  return { unsubscribe: `${publicUrl}/unsubscribe/preview`, preferences: `${publicUrl}/preferences/preview` };
}

/** Writes `<data folder>/preview/<newsletter>.html` and `.txt`. */
export function writePreviewFiles(
  { config: { paths, publication } }: Pick<AppContext, 'config'>,
  { newsletter, nonce, ...composed }: Pick<ComposedEdition, 'newsletter' | 'nonce' | 'html' | 'text'>,
): { htmlPath: string; textPath: string; text: string } {
  const values = previewLinks(publication.url);
  const folder = join(paths.data, 'preview');
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  const [htmlPath, textPath] = [join(folder, `${newsletter}.html`), join(folder, `${newsletter}.txt`)];
  const text = fillText(composed.text, nonce, values);
  // New files: an existing one could be readable by other users.
  for (const path of [htmlPath, textPath]) rmSync(path, { force: true });
  writeFileSync(htmlPath, fillHtml(composed.html, nonce, values), { mode: PRIVATE_FILE });
  writeFileSync(textPath, text, { mode: PRIVATE_FILE });
  return { htmlPath, textPath, text };
}
