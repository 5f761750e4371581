/**
 * Reads a Dockerfile: the part of its language that deploy/Dockerfile uses, which a container engine understands in the
 * same way.
 */

export interface Stage {
  /** The base image, or the name of an earlier stage. */
  base: string;
  /** Null for one without `AS`. */
  name: string | null;
  steps: Step[];
}

export type Step =
  | { kind: 'run'; command: string; caches: string[] }
  | { kind: 'copy'; from: string | null; sources: string[]; target: string }
  | { kind: 'env'; variables: Record<string, string> }
  | { kind: 'label'; labels: Record<string, string> }
  | { kind: 'workdir' | 'user' | 'stopsignal'; value: string }
  | { kind: 'expose'; ports: number[] }
  | { kind: 'healthcheck' | 'entrypoint' | 'cmd'; command: string[] };

/** @throws Error that names the line where an instruction or one of its options is not of that part */
export function parseDockerfile(text: string): Stage[] {
  const stages: Stage[] = [];
  const args: Record<string, string> = {};
  for (const { line, number } of instructions(text)) {
    const [, instruction = '', rest = ''] = /^(\S+)\s+(.*)$/s.exec(line) ?? [];
    const fail = (reason: string): never => {
      throw new Error(`line ${number} of the Dockerfile: ${reason}: ${line}`);
    };
    if (instruction === 'FROM') {
      const [base = '', as, name = null] = rest.split(/\s+/);
      if (as !== undefined && as !== 'AS') fail('FROM IMAGE AS NAME is expected');
      stages.push({
        base: base.replace(/\$\{(\w+)\}/g, (_, arg: string) => args[arg] ?? fail('unknown ARG')),
        name,
        steps: [],
      });
    } else if (stages.length === 0) {
      const [, arg, value] = /^(\w+)=(\S+)$/.exec(rest) ?? [];
      if (instruction !== 'ARG' || arg === undefined || value === undefined) fail('ARG NAME=VALUE or FROM is expected');
      else args[arg] = value;
    } else {
      stages.at(-1)?.steps.push(readStep(instruction, rest, fail));
    }
  }
  return stages;
}

/** The lines without comments, with continued lines in one. */
function instructions(text: string): { line: string; number: number }[] {
  const found: { line: string; number: number }[] = [];
  let isContinued = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const part = line.replace(/\\$/, '').trim();
    const last = found.at(-1);
    if (isContinued && last !== undefined) last.line += ` ${part}`;
    else found.push({ line: part, number: index + 1 });
    isContinued = line.endsWith('\\');
  }
  return found;
}

function readStep(instruction: string, rest: string, fail: (reason: string) => never): Step {
  switch (instruction) {
    case 'RUN': {
      const { options, value } = takeOptions(rest);
      const caches = options.map(
        (option) => /^--mount=type=cache,target=(\S+)$/.exec(option)?.[1] ?? fail('unknown option'),
      );
      return { kind: 'run', command: value, caches };
    }
    case 'COPY': {
      const { options, value } = takeOptions(rest);
      const [from = null, ...others] = options.map(
        (option) => /^--from=(\S+)$/.exec(option)?.[1] ?? fail('unknown option'),
      );
      const paths = value.split(/\s+/);
      const target = paths.pop();
      if (others.length > 0 || target === undefined || paths.length === 0)
        return fail('COPY SOURCE… TARGET is expected');
      return { kind: 'copy', from, sources: paths, target };
    }
    case 'ENV':
      return { kind: 'env', variables: readPairs(rest, fail) };
    case 'LABEL':
      return { kind: 'label', labels: readPairs(rest, fail) };
    case 'WORKDIR':
    case 'USER':
    case 'STOPSIGNAL':
      return { kind: instruction.toLowerCase() as 'workdir' | 'user' | 'stopsignal', value: rest };
    case 'EXPOSE':
      return { kind: 'expose', ports: rest.split(/\s+/).map(Number) };
    case 'HEALTHCHECK': {
      const [, command] = /^CMD (.*)$/.exec(takeOptions(rest).value) ?? [];
      return { kind: 'healthcheck', command: readCommand(command ?? '', fail) };
    }
    case 'ENTRYPOINT':
    case 'CMD':
      return { kind: instruction.toLowerCase() as 'entrypoint' | 'cmd', command: readCommand(rest, fail) };
    default:
      return fail('this instruction is not known here');
  }
}

/** Splits the leading `--name=value` from what follows. */
function takeOptions(rest: string): { options: string[]; value: string } {
  const [, options = '', value = ''] = /^((?:--\S+\s+)*)(.*)$/s.exec(rest) ?? [];
  return { options: options.split(/\s+/).filter((option) => option !== ''), value };
}

/** `NAME=value` and `NAME="a value"`. */
function readPairs(rest: string, fail: (reason: string) => never): Record<string, string> {
  const pairs = [...rest.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))(?:\s+|$)/g)];
  if (pairs.map(([pair]) => pair).join('') !== rest) return fail('NAME=VALUE is expected');
  return Object.fromEntries(pairs.map(([, name = '', quoted, plain = '']) => [name, quoted ?? plain]));
}

/** The form without a shell, a list in JSON: a shell would not pass signals on. */
function readCommand(text: string, fail: (reason: string) => never): string[] {
  if (!text.startsWith('[')) return fail('a command is a list: ["program", "argument"]');
  return JSON.parse(text) as string[];
}
