/**
 * The npm of this machine, for a clean root: its program, and how it reaches the registry.
 */
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CleanRoot } from './clean-root.ts';

/** Variables by which a machine names its proxy and its certificate authorities. */
const NETWORK = /^(?:(?:https?|no|all)_proxy|NODE_EXTRA_CA_CERTS)$/i;

/** npm's own folder, the one that has `bin/npm-cli.js`. */
export function npmFolder(): string {
  const program = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
  return resolve(realpathSync(program), '../..');
}

/**
 * What npm needs in the root to use the registry that this machine's settings name: environment variables, and the file
 * of certificate authorities, which is copied.
 */
export function npmEnvironment(root: CleanRoot): NodeJS.ProcessEnv {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => NETWORK.test(name)));
  if (env.NODE_EXTRA_CA_CERTS !== undefined) {
    root.copy(env.NODE_EXTRA_CA_CERTS, 'etc/ssl/npm-certificates.pem');
    env.NODE_EXTRA_CA_CERTS = '/etc/ssl/npm-certificates.pem';
  }
  const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
  return { ...env, npm_config_registry: registry, npm_config_update_notifier: 'false', npm_config_fund: 'false' };
}
