/**
 * npm run -s image-check (as root, on Linux)
 *
 * Carries out the steps of deploy/Dockerfile without a container engine, in clean roots: Node of the package `node`,
 * the npm of this machine, and a few basic tools stand in for the base image. Then it runs the image as an engine does:
 * its own user as process 1, without rights to gain, with a read-only root, a temporary /tmp and volumes. A newsroom is
 * made by "daywire init"; the image's health check must pass, a feed must have its article, and SIGTERM must end it
 * with 0. Prints the seconds of each step, and exits with 1 where one fails.
 *
 * Not tried: the base image itself, an engine's own reading of the file, and other architectures.
 */
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBareRoot } from './clean-root/bare-root.ts';
import { missingForCleanRoot } from './clean-root/clean-root.ts';
import { npmEnvironment, npmFolder } from './clean-root/npm-settings.ts';
import { print, secondsSince, step } from './clean-root/steps.ts';
import { buildImage, type Image } from './image/build-image.ts';
import { addNodeUser, Container, type Mount, makeVolume } from './image/run-image.ts';

const PROJECT = resolve(import.meta.dirname, '..');
/** Of coreutils and findutils; the base image is a Debian, which has them all. */
const TOOLS = ['chmod', 'chown', 'date', 'find'];
const HEADLINE = 'The Roof Over the Car Park Pays Its Way';
const PATIENCE = 60_000;

const missing = missingForCleanRoot();
if (missing !== null) {
  process.stderr.write(`image-check: ${missing}\n`);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'daywire-image-check-'));
let server: Container | undefined;
try {
  await check();
} catch (error) {
  process.stderr.write(`image-check: ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  await server?.destroy();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

async function check(): Promise<void> {
  const image = await build();
  if (image.user !== '1000:1000') throw new Error(`its user is ${image.user}`);
  for (const name of ['vitest', 'typescript', 'node']) {
    if (existsSync(join(image.root, 'opt/daywire/node_modules', name))) throw new Error(`the image contains ${name}`);
  }
  const size = execFileSync('du', ['--summarize', '--block-size=M', join(image.root, 'opt')], { encoding: 'utf8' });
  print(`         /opt has ${size.split('\t')[0]}`);

  const newsroom = await step('daywire init, in a folder of this machine', () => makeNewsroom(image));
  const container = new Container(image, mountsOf(image, newsroom));
  server = container;
  await step('start, until the health check of the image passes', () => untilHealthy(image, container));
  await step('the feed, its mirror, and what cannot be written', () => tryContainer(container));
  await step('stop it (SIGTERM)', async () => {
    container.kill('SIGTERM');
    const { code, output } = await container.end();
    if (code !== 0) throw new Error(`it ended with ${code}:\n${output}`);
  });
}

async function build(): Promise<Image> {
  let from = performance.now();
  let previous = '';
  const onStep = (name: string): void => {
    if (/^(?:RUN|COPY)/.test(previous)) print(`${secondsSince(from).padStart(7)}  ${previous}`);
    from = performance.now();
    previous = name;
  };
  let env: NodeJS.ProcessEnv = {};
  const makeBase = (path: string): void => {
    const root = makeBareRoot(path);
    for (const tool of TOOLS) root.copy(`/usr/bin/${tool}`, `usr/bin/${tool}`);
    root.addNode(process.execPath, npmFolder());
    env = Object.assign(env, npmEnvironment(root));
    addNodeUser(path);
  };
  const dockerfile = join(PROJECT, 'deploy/Dockerfile');
  const image = await buildImage({ dockerfile, context: PROJECT, folder, makeBase, env, onStep });
  onStep('');
  return image;
}

async function makeNewsroom(image: Image): Promise<string> {
  const newsroom = join(folder, 'newsroom');
  mkdirSync(newsroom);
  chownSync(newsroom, 1000, 1000);
  const answers = ['--name', 'The Example Times', '--zone', 'Europe/Berlin', '--email', 'newsroom@example.com'];
  const url = ['--url', 'https://news.example.com'];
  const made = new Container(
    image,
    [{ source: newsroom, target: '/newsroom' }],
    ['init', '/newsroom', ...answers, ...url],
  );
  const { code, output } = await made.end();
  if (code !== 0) throw new Error(`it ended with ${code}:\n${output}`);
  const article = `---\ntitle: ${HEADLINE}\ndate: 2026-11-24\nauthor: Ada Example\n---\n\nThe news in the first paragraph.\n`;
  writeFileSync(join(newsroom, 'articles/roof.md'), article);
  return newsroom;
}

function mountsOf(image: Image, newsroom: string): Mount[] {
  const ofOperators = ['config', 'articles', 'legal'];
  const volumes = ['var', 'feeds', 'media'];
  return [
    ...ofOperators.map((name) => ({ source: join(newsroom, name), target: `/srv/daywire/${name}`, readOnly: true })),
    ...volumes.map((name) => makeVolume(image, `/srv/daywire/${name}`, join(folder, `volume-${name}`))),
  ];
}

async function untilHealthy({ healthcheck }: Image, container: Container): Promise<void> {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await sleep(200)) {
    if (!container.isRunning) throw new Error(`it ended:\n${(await container.end()).output}`);
    if (container.exec(healthcheck).code === 0) return;
  }
  throw new Error(`the health check fails: ${healthcheck.join(' ')}`);
}

async function tryContainer(container: Container): Promise<void> {
  const evaluate = (expression: string): string => container.exec(['node', '-p', expression]).output.trim();
  if (evaluate('[process.getuid(), process.getgid()].join()') !== '1000,1000')
    throw new Error('it does not run as 1000');
  const feed = "fetch('http://127.0.0.1:8080/feeds/latest.rss').then((r) => r.text()).then(console.log)";
  for (const end = Date.now() + PATIENCE; !container.exec(['node', '-e', feed]).output.includes(HEADLINE); ) {
    if (Date.now() > end) throw new Error('the feed does not contain the article');
    await sleep(200);
  }
  const mirrored = join(folder, 'volume-feeds/latest.rss');
  for (const end = Date.now() + PATIENCE; !existsSync(mirrored); await sleep(100)) {
    if (Date.now() > end) throw new Error('the feed is not mirrored');
  }
  for (const path of ['/srv/daywire/new', '/srv/daywire/config/daywire.yaml', '/opt/daywire/new']) {
    const { code, output } = container.exec(['sh', '-c', `echo new > ${path}`]);
    if (code === 0 || !output.includes('Read-only file system')) throw new Error(`${path} can be written`);
  }
}
