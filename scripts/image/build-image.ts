/**
 * Carries out the steps of a Dockerfile in clean roots, in place of a container engine.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { CleanRoot } from '../clean-root/clean-root.ts';
import { parseDockerfile, type Stage, type Step } from './dockerfile.ts';
import { isIgnored } from './ignored.ts';

/** What an engine knows of an image. */
export interface Image {
  /** The folder with its files. */
  root: string;
  env: Record<string, string>;
  workdir: string;
  /** As written: ids, or a name. */
  user: string;
  entrypoint: string[];
  cmd: string[];
  healthcheck: string[];
  stopSignal: string;
}

export interface BuildOptions {
  dockerfile: string;
  /** The folder of the files that it copies, with a .dockerignore. */
  context: string;
  /** An empty folder for the roots of the stages, and for what they cache. */
  folder: string;
  /** Makes the root that stands in for a base image. */
  makeBase: (path: string) => void;
  /** Environment variables of RUN that the Dockerfile does not name, such as a proxy. */
  env: NodeJS.ProcessEnv;
  onStep?: (step: string) => void;
}

/** @throws Error where a step fails */
export async function buildImage(options: BuildOptions): Promise<Image> {
  const { dockerfile, folder, makeBase } = options;
  const base = join(folder, 'base');
  makeBase(base);
  const images = new Map<string, Image>();
  let last: Image | undefined;
  for (const [index, stage] of parseDockerfile(readFileSync(dockerfile, 'utf8')).entries()) {
    const from = images.get(stage.base);
    const root = join(folder, `stage-${index}`);
    // Files of a base are shared between roots: nothing that a stage does writes into a file that is there.
    execFileSync('cp', ['--archive', '--link', from?.root ?? base, root]);
    last = await buildStage(stage, { ...(from ?? EMPTY), root }, images, options);
    images.set(stage.name ?? String(index), last);
  }
  if (last === undefined) throw new Error(`${dockerfile} has no FROM`);
  return last;
}

const EMPTY: Omit<Image, 'root'> = {
  env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
  workdir: '/',
  user: '0:0',
  entrypoint: [],
  cmd: [],
  healthcheck: [],
  stopSignal: 'SIGTERM',
};

async function buildStage(
  stage: Stage,
  start: Image,
  stages: ReadonlyMap<string, Image>,
  options: BuildOptions,
): Promise<Image> {
  let image = start;
  for (const step of stage.steps) {
    options.onStep?.(describe(step));
    switch (step.kind) {
      case 'run':
        await run(image, step, options);
        break;
      case 'copy': {
        const { from } = step;
        const source = from === null ? undefined : stages.get(from)?.root;
        if (from !== null && source === undefined) throw new Error(`COPY --from=${from}: no such stage before it`);
        copy(image, step, source ?? null, options.context);
        break;
      }
      case 'env':
        image = { ...image, env: { ...image.env, ...step.variables } };
        break;
      case 'workdir':
        mkdirSync(join(image.root, step.value), { recursive: true });
        image = { ...image, workdir: step.value };
        break;
      case 'user':
        image = { ...image, user: step.value };
        break;
      case 'stopsignal':
        image = { ...image, stopSignal: step.value };
        break;
      case 'label':
      case 'expose':
        break;
      default:
        image = { ...image, [step.kind]: step.command };
    }
  }
  return image;
}

function describe(step: Step): string {
  if (step.kind === 'run') return `RUN ${step.command}`;
  if (step.kind !== 'copy') return step.kind.toUpperCase();
  return `COPY ${step.from === null ? '' : `(of ${step.from}) `}${step.sources.join(' ')} ${step.target}`;
}

async function run(
  { root, env, workdir }: Image,
  { command, caches }: Extract<Step, { kind: 'run' }>,
  options: BuildOptions,
): Promise<void> {
  const kept = caches.map((path) => ({ inRoot: join(root, path), outside: join(options.folder, `cache${path}`) }));
  for (const { inRoot, outside } of kept) {
    mkdirSync(outside, { recursive: true });
    mkdirSync(join(inRoot, '..'), { recursive: true });
    rmSync(inRoot, { recursive: true, force: true });
    renameSync(outside, inRoot);
  }
  await new CleanRoot(root).run(['sh', '-c', command], { asRoot: true, cwd: workdir, env: { ...options.env, ...env } });
  for (const { inRoot, outside } of kept) renameSync(inRoot, outside);
}

/** Copies files of the context, or of a stage. A source that is a folder gives what it contains. */
function copy(
  { root, workdir }: Image,
  { sources, target }: Extract<Step, { kind: 'copy' }>,
  stage: string | null,
  context: string,
): void {
  const from = stage ?? context;
  const dockerignore = readFileSync(join(context, '.dockerignore'), 'utf8');
  const to = resolve('/', workdir, target);
  const isFolder = target.endsWith('/') || sources.length > 1;
  for (const source of sources) {
    const paths = globSync(join(from, source));
    if (paths.length === 0) throw new Error(`COPY: there is no ${source}`);
    for (const path of paths) {
      const intoFolder = isFolder && !statSync(path).isDirectory();
      cpSync(path, join(root, to, intoFolder ? basename(path) : ''), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (one) => stage !== null || one === context || !isIgnored(relative(context, one), dockerignore),
      });
    }
  }
  if (!existsSync(join(root, to))) throw new Error(`COPY: all of ${sources.join(', ')} is ignored`);
}
