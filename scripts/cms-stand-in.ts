/**
 * Serves a site that daywire can poll, to try sources without one:
 * `node scripts/cms-stand-in.ts wordpress|ghost [--posts 250] [--port 8090]`. The configuration needs
 * `fetch: { allow: [127.0.0.0/8] }`; the key of Ghost is `0123456789abcdef0123456789`.
 */
import { parseArgs } from 'node:util';
import { serve } from '@hono/node-server';
import { ghostApp } from './cms/ghost.ts';
import { makePosts } from './cms/posts.ts';
import { wordPressApp } from './cms/wordpress.ts';

const KEY = '0123456789abcdef0123456789';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { posts: { type: 'string', default: '250' }, port: { type: 'string', default: '8090' } },
});
const [kind = 'wordpress'] = positionals;
const posts = makePosts(Number(values.posts), Date.now());
const app = kind === 'ghost' ? ghostApp(posts, KEY) : wordPressApp(posts);
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(values.port) }, ({ port }) => {
  console.log(`${kind} with ${posts.length} posts at http://127.0.0.1:${port}/ (Ctrl-C stops)`);
});
