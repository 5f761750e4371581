import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseDockerfile, type Step } from '../../scripts/image/dockerfile.ts';
import { isIgnored } from '../../scripts/image/ignored.ts';
import { DEFAULT_ANSWERS } from '../../src/app/init.ts';
import { ROLES } from '../../src/app/start.ts';
import { SECRETS } from '../../src/core/config/secrets.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('deploy/Dockerfile', () => {
  const stages = parseDockerfile(read('deploy/Dockerfile'));
  const steps = (kind: Step['kind']): Step[] => stages.at(-1)?.steps.filter((step) => step.kind === kind) ?? [];

  it('installs the package in one stage and runs it in another, as a user who is not root', () => {
    expect(stages.map(({ name }) => name)).toEqual(['pinned', 'package', 'installed', null]);
    expect(stages.map(({ base }) => base).slice(1)).toEqual(['pinned', 'pinned', 'pinned']);
    expect(steps('user')).toEqual([{ kind: 'user', value: '1000:1000' }]);
    expect(steps('entrypoint')).toEqual([{ kind: 'entrypoint', command: ['daywire'] }]);
    expect(steps('cmd')).toEqual([{ kind: 'cmd', command: ['start'] }]);
    expect(steps('copy')).toHaveLength(1);
  });

  it('asks for the health at an address that daywire serves', () => {
    const [check] = steps('healthcheck') as [Extract<Step, { command: string[] }>];
    const [, url] = /fetch\('http:\/\/127\.0\.0\.1:8080(\/\w+)'\)/.exec(check.command.join(' ')) ?? [];
    expect(url).toBe('/readyz');
    expect(DEFAULT_ANSWERS.url).toMatch(/:8080$/);
  });

  it('copies no secret and no data into a layer, and all that the package is made of', () => {
    const dockerignore = read('.dockerignore');
    const secret = [
      'var/secret',
      'var/daywire.db',
      'secrets/dkim.pem',
      '.env',
      'deploy/secrets/smtp-url',
      '.git/config',
    ];
    expect(secret.filter((path) => !isIgnored(path, dockerignore))).toEqual([]);
    const { files } = JSON.parse(read('package.json')) as { files: string[] };
    // Made by "npm pack" itself.
    const made = ['dist', 'npm-shrinkwrap.json'];
    const needed = [
      ...files.filter((name) => !made.includes(name)),
      'src/cli/main.ts',
      'scripts/build.ts',
      'scripts/shrinkwrap.ts',
    ];
    expect(needed.length).toBeGreaterThan(8);
    expect(needed.filter((path) => !existsSync(join(root, path)) || isIgnored(path, dockerignore))).toEqual([]);
  });
});

interface Service {
  image: string;
  command?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  stop_grace_period?: string;
  environment?: Record<string, string>;
  secrets?: string[];
  volumes: string[];
  networks: string[] | Record<string, { ipv4_address?: string } | undefined>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { disable?: boolean; test?: string[] };
}

interface ComposeFile {
  services: Record<string, Service>;
  networks: Record<string, unknown>;
  volumes: Record<string, unknown>;
  secrets: Record<string, { file: string }>;
}

describe('deploy/compose.yaml', () => {
  const { services, secrets } = parse(read('deploy/compose.yaml'), { merge: true }) as ComposeFile;
  const all = Object.entries(services);
  const ofDaywire = all.filter(([, { image }]) => image === 'daywire');

  it('has each role in one container, and what each needs is healthy before', () => {
    const started = ofDaywire.map(([, { command = [] }]) => command).filter(([command]) => command === 'start');
    expect(
      started
        .flatMap(([, option, ...roles]) => [option, ...roles])
        .filter((word) => word !== '--role')
        .sort(),
    ).toEqual([...ROLES].sort());
    for (const [, { depends_on }] of ofDaywire) expect(depends_on).toEqual({ db: { condition: 'service_healthy' } });
    // By the first role, as docs/operating/monitoring.md says.
    for (const role of ['schedule', 'deliver'] as const) {
      const test = String(services[role]?.healthcheck?.test);
      expect(test).toContain(`http://127.0.0.1:${9464 + ROLES.indexOf(role)}/readyz`);
    }
    expect(services.nginx?.depends_on).toEqual({ web: { condition: 'service_healthy' } });
    expect(services.db?.healthcheck?.test).toContain('pg_isready');
  });

  it('has containers with a read-only root, and without rights to gain', () => {
    expect(all.length).toBe(6);
    for (const [name, service] of all) {
      expect(service, name).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    }
    for (const [name, { stop_grace_period }] of ofDaywire) expect(stop_grace_period, name).toBe('12m');
  });

  it('gives secrets as files, under names that daywire knows', () => {
    const known = Object.values(SECRETS).map(({ name }) => `${name}_FILE`);
    for (const [name, service] of all) {
      for (const secret of service.secrets ?? []) expect(secrets, name).toHaveProperty(secret);
      const files = Object.entries(service.environment ?? {}).filter(([key]) => key.endsWith('_FILE'));
      expect(files.map(([, path]) => path.replace('/run/secrets/', '')).sort(), name).toEqual(
        (service.secrets ?? []).toSorted(),
      );
      if (service.image === 'daywire') for (const [key] of files) expect(known).toContain(key);
    }
    for (const { file } of Object.values(secrets))
      expect(isIgnored(join('deploy', file), read('.dockerignore'))).toBe(true);
  });

  it('mounts each folder that the configuration of "daywire init" names, and systemd-tmpfiles makes those', () => {
    const lines = read('templates/init/daywire.yaml.liquid').matchAll(
      /^ +(?:imprint|privacy|store|data|feeds|templates|media|watch): \[?([a-z]+)\b/gm,
    );
    const named = new Set(['config', ...[...lines].map(([, folder = '']) => folder)]);
    expect([...named].sort()).toEqual(['articles', 'config', 'feeds', 'legal', 'media', 'templates', 'var']);
    const paths = [...named].map((name) => `/srv/daywire/${name}`);
    const targets = services.web?.volumes.map((one) => one.split(':')[1]);
    expect(targets).toEqual(expect.arrayContaining(paths));
    // Templates of one's own are optional.
    const folders = read('deploy/systemd/daywire.tmpfiles.conf')
      .match(/\/srv\/daywire\/\w+/g)
      ?.concat('/srv/daywire/templates');
    expect(folders).toEqual(expect.arrayContaining(paths));
  });

  it('lets nginx read the feeds that daywire writes', () => {
    expect(services.web?.volumes).toContain('feeds:/srv/daywire/feeds');
    expect(services.nginx?.volumes).toContain('feeds:/srv/daywire/feeds:ro');
    expect(read('deploy/nginx.conf')).toContain('root /srv/daywire;');
  });
});

/** `TAG@sha256:DIGEST` of an image, `NAME@COMMIT # VERSION` of an action. */
const PINNED = /^(?:[a-z/]+:(\d[\w.-]*)@sha256:[0-9a-f]{64}|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/;
/** Images that are built from this checkout. */
const OWN = ['daywire', 'pinned', '$' + '{BASE}'];

describe('images and actions', () => {
  const workflows = globSync('.github/workflows/*', { cwd: root });
  const files = ['deploy/Dockerfile', 'deploy/compose.yaml', ...workflows];
  const named = files.flatMap((path) =>
    [...read(path).matchAll(/^(?:FROM +(\S+).*|[ -]*(?:image|container|uses): *(\S.*))$/gm)].map(
      ([, from, value = '']) => ({
        path,
        name: from ?? value.trim(),
      }),
    ),
  );

  it('are pinned by digest or commit, with an exact version', () => {
    const foreign = named.filter(({ name }) => !OWN.includes(name));
    expect(foreign.map(({ name }) => name.replace(/[:@].*/, ''))).toEqual([
      ...['node', 'postgres', 'nginx', 'node', 'actions/checkout'],
    ]);
    expect(foreign.filter(({ name }) => !PINNED.test(name))).toEqual([]);
  });

  it('have one version of Node, also in the file that Dependabot does not update', () => {
    const versions = named
      .map(({ name }) => /^node:([\d.]+)-trixie/.exec(name)?.[1])
      .filter((one) => one !== undefined);
    expect(versions).toHaveLength(2);
    expect(new Set(versions).size).toBe(1);
  });

  it('are updated by Dependabot, as packages are', () => {
    const { updates } = parse(read('.github/dependabot.yml')) as {
      updates: { 'package-ecosystem': string; directory: string; schedule: { interval: string } }[];
    };
    const places = updates.map((one) => `${one['package-ecosystem']} ${one.directory} ${one.schedule.interval}`);
    expect(places).toEqual([
      ...['npm / weekly', 'github-actions / weekly', 'docker /deploy weekly', 'docker-compose /deploy weekly'],
    ]);
  });
});
