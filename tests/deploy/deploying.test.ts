import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../src/core/config/config.ts';

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
        .match(/commands: \[.*\]/g)
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

  it('gives reasons for settings that the units have', () => {
    const unit = read('deploy/systemd/daywire.service');
    const rows = section('Rights of the services')
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .slice(2);
    expect(rows).toHaveLength(7);
    for (const row of rows) {
      const setting = row.split('|')[1]?.trim() ?? '';
      const [, name = '', value = ''] = /`(\w+)=([^`]*)`/.exec(setting) ?? [];
      const line = unit.split('\n').find((one) => one.startsWith(`${name}=`));
      if (value === '' || setting.startsWith('no ')) expect(line, setting).toBeUndefined();
      else for (const word of value.split('… ')) expect(line, setting).toContain(word);
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
    const text = read('config/daywire.yaml').replace(/^server:\n(?: .*\n)*/m, server);
    const { host, trustedProxies } = parseConfig(text, { file: 'daywire.yaml', env: {}, cwd: folder }).server;
    expect(host).toBe('0.0.0.0');
    expect(trustedProxies).toEqual([`${services.nginx.networks.outside.ipv4_address}/32`]);
  });

  it('ends the lines of prose at 120 characters', () => {
    expect(page.split('\n').filter((line) => line.length > 120 && !line.startsWith('|'))).toEqual([]);
  });
});
