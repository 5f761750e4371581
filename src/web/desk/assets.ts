/**
 * The stylesheet, the scripts and the icon of the desk. Their addresses have a hash of their content, so browsers keep
 * them forever.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Handler } from 'hono';
import { oncePer } from '../../lib/once-per.ts';
import { sha256 } from '../../lib/sha256.ts';
import { BUILT_IN_TEMPLATES } from '../../lib/templates.ts';
import type { DeskContext } from './desk-request.ts';

const TYPES = {
  'desk.css': 'text/css; charset=utf-8',
  'desk.js': 'text/javascript; charset=utf-8',
  'unsaved.js': 'text/javascript; charset=utf-8',
  'desk.svg': 'image/svg+xml',
} as const;

type AssetName = keyof typeof TYPES;

interface Asset {
  body: string;
  hash: string;
}

/** The path of a file, with its hash. */
export function assetPath(desk: DeskContext, name: AssetName): string {
  return `${desk.base}/assets/${assetsOf(desk)[name].hash}/${name}`;
}

/** `/assets/:hash/:name`. */
export function serveAsset(desk: DeskContext): Handler {
  return (c) => {
    const name = c.req.param('name') as AssetName;
    const asset = Object.hasOwn(TYPES, name) ? assetsOf(desk)[name] : undefined;
    if (asset === undefined) return c.notFound();
    const isCurrent = c.req.param('hash') === asset.hash;
    const lifetime = isCurrent ? 'private, max-age=31536000, immutable' : 'no-store';
    return c.body(asset.body, 200, { 'Content-Type': TYPES[name], 'Cache-Control': lifetime });
  };
}

const assetsOf = oncePer(({ web }: DeskContext): Record<AssetName, Asset> => {
  const { light, dark } = web.view.accent;
  const accent = `:root{--accent-light:${light};--accent-dark:${dark}}\n`;
  return {
    'desk.css': toAsset(accent + read('desk.css')),
    'desk.js': toAsset(read('desk.js')),
    'unsaved.js': toAsset(read('unsaved.js')),
    'desk.svg': toAsset(icon(light)),
  };
});

function read(name: string): string {
  return readFileSync(join(BUILT_IN_TEMPLATES, 'desk', name), 'utf8');
}

function toAsset(body: string): Asset {
  return { body, hash: sha256(body).slice(0, 12) };
}

/** A desk: a board in the accent colour on two legs. */
function icon(accent: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect x="2" y="9" width="28" height="6" fill="${accent}"/>
<path fill="#7a766f" d="M5 15h4v12H5zM23 15h4v12h-4zM9 18h14v3H9z"/></svg>
`;
}
