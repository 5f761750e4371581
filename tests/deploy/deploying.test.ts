import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../src/core/config/config.ts';
import { SAMPLE_CONFIG } from '../support/sample.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/deploying.md');

/** The text of a section of the page. */
const section = (title: string): string => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(/```(\w+)\n(.*?)```/gs)].flatMap(([, of, block = '']) => (of === language ? [block] : []));
const commands = blocks(page, 'sh').join('');

describe('docs/deploying.md', () => {
  it('installs each file of deploy/systemd', () => {
    const names = readdirSync(join(root, 'deploy/systemd'));
    expect(names.length).toBeGreaterThan(7);
    const installed =
      section('One machine')
        .match(/^sudo install .*$/gm)
        ?.join(' ') ?? '';
    for (const name of names) expect(installed.split(' ')).toContain(name);
  });

  it('uses commands and units that exist', () => {
    const known =
      read('src/app/commands.ts')
        .match(/\[\[.*?\], async/gs)
        ?.join() ?? '';
    const used = [...commands.matchAll(/(?:sudo|exec web|\.bin) ?\/?daywire ([a-z]+)/g)].map(([, command]) => command);
    expect(new Set(used).size).toBeGreaterThan(6);
    for (const command of used) expect(known).toContain(`'${command}'`);
    const units = [...commands.matchAll(/systemctl .*?(daywire[\w@.-]*)/g)].map(([, unit = '']) => unit);
    expect(units.length).toBeGreaterThan(8);
    const files = readdirSync(join(root, 'deploy/systemd'));
    for (const unit of units) {
      const file = unit.replace(/@\w+/, '@');
      expect(files).toContain(/\.\w+$/.test(file) ? file : `${file}.service`);
    }
  });

  it('makes a configuration of nginx that fits the compose file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'daywire-deploying-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'nginx.conf'), read('deploy/nginx.conf'));
    const sed = blocks(section('Containers'), 'sh').find((block) => block.startsWith('sed '));
    execFileSync('sh', ['-c', sed ?? 'false'], { cwd: folder });
    const site = readFileSync(join(folder, 'site.conf'), 'utf8').replace(/^ *#.*\n/gm, '');
    const { services } = parse(read('deploy/compose.yaml'), { merge: true }) as {
      services: Record<'web' | 'nginx', { networks: { outside: { ipv4_address: string } } }>;
    };
    expect(site).toContain(`server ${services.web.networks.outside.ipv4_address}:8080;`);
    expect(site).toContain('access_log /dev/stdout daywire;');
    expect(site.match(/error_log .*/g)).toEqual(['error_log /dev/stderr emerg;', 'error_log /dev/stderr emerg;']);
    expect(site).not.toMatch(/news\.example\.com|127\.0\.0\.1|\/var\/log/);

    const [server = ''] = blocks(section('Containers'), 'yaml');
    const text = readFileSync(SAMPLE_CONFIG, 'utf8').replace(/^server:\n(?: .*\n)*/m, server);
    const { host, trustedProxies } = parseConfig(text, { file: 'daywire.yaml', env: {}, cwd: folder }).server;
    expect(host).toBe('0.0.0.0');
    expect(trustedProxies).toEqual([`${services.nginx.networks.outside.ipv4_address}/32`]);
  });
});
