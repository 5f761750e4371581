/**
 * Renders editions for previews: in a thread of its own that stays for as long as editors work, and each content once.
 * The bytes are those of the mail, since the same function renders both.
 */
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { sha256 } from '../../../lib/sha256.ts';
import { templateVersion } from '../../../lib/templates.ts';
import { ThreadPool } from '../../../lib/threads/thread-pool.ts';
import { MINUTE } from '../../../lib/time.ts';
import type { RenderedEdition } from '../../rendering/render.ts';
import { type RenderFunction, renderInPool } from '../../rendering/render-in-thread.ts';

/** A thread that has ended costs the next preview almost two seconds: it loads MJML again. It holds 40 to 70 MB. */
const IDLE_TIME = 30 * MINUTE;
const POOL = new ThreadPool(1, IDLE_TIME);

/** Each takes about 200 KB. */
const MAX_RENDERED = 64;

export class RenderCache {
  /** Of all editions that this cache renders: it marks placeholders, and no subscriber ever gets them. */
  readonly nonce = randomBytes(16).toString('hex');
  /** Requests for the same content share one rendering. */
  readonly #rendered = new LRUCache<string, Promise<RenderedEdition>>({ max: MAX_RENDERED });

  /** As `renderEdition`. With the nonce of this cache, the same content is rendered once. */
  readonly render: RenderFunction = async (view, site, templates, options) => {
    const version = templateVersion(templates.source.folder);
    const key = contentKey([view, site, templates.source, options, version]);
    const known = this.#rendered.get(key);
    if (known !== undefined) return known;
    const rendering = renderInPool(POOL)(view, site, templates, options);
    this.#rendered.set(key, rendering);
    // A failure is not kept: the template may be corrected.
    rendering.catch(() => this.#rendered.delete(key));
    return rendering;
  };
}

/** Identifies plain JSON. */
export function contentKey(content: unknown): string {
  return sha256(JSON.stringify(content)).slice(0, 32);
}
