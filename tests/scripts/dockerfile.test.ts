import { describe, expect, it } from 'vitest';
import { parseDockerfile } from '../../scripts/image/dockerfile.ts';
import { isIgnored } from '../../scripts/image/ignored.ts';

describe('reading a Dockerfile', () => {
  it('reads stages, options, continued lines and commands', () => {
    const text = `# A comment
ARG BASE=node:24
FROM \${BASE} AS made
WORKDIR /src
COPY package.json *.lock ./
RUN --mount=type=cache,target=/root/.npm npm ci \\
# in the middle
 && npm pack
FROM \${BASE}
ENV A=1 B="two words"
COPY --from=made /src/ /opt/
USER 1000:1000
HEALTHCHECK --interval=30s CMD ["node", "-v"]
`;
    expect(parseDockerfile(text)).toEqual([
      {
        base: 'node:24',
        name: 'made',
        steps: [
          { kind: 'workdir', value: '/src' },
          { kind: 'copy', from: null, sources: ['package.json', '*.lock'], target: './' },
          { kind: 'run', command: 'npm ci && npm pack', caches: ['/root/.npm'] },
        ],
      },
      {
        base: 'node:24',
        name: null,
        steps: [
          { kind: 'env', variables: { A: '1', B: 'two words' } },
          { kind: 'copy', from: 'made', sources: ['/src/'], target: '/opt/' },
          { kind: 'user', value: '1000:1000' },
          { kind: 'healthcheck', command: ['node', '-v'] },
        ],
      },
    ]);
  });

  it('names the line that it does not understand', () => {
    const fails = (line: string): string | undefined => {
      try {
        parseDockerfile(`FROM node\n${line}\n`);
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(fails('VOLUME /data')).toBe('line 2 of the Dockerfile: this instruction is not known here: VOLUME /data');
    expect(fails('RUN --privileged true')).toContain('unknown option');
    expect(fails('COPY --chown=1 a b')).toContain('unknown option');
    expect(fails('CMD daywire start')).toContain('a command is a list');
    expect(fails('ENV A=1 B')).toContain('NAME=VALUE is expected');
    expect(() => parseDockerfile('RUN true')).toThrow('ARG NAME=VALUE or FROM is expected');
    expect(() => parseDockerfile(`FROM \${OTHER}`)).toThrow('unknown ARG');
  });

  it('ignores what a pattern names, and all that is in it', () => {
    const dockerignore = '# comment\nvar\n*.log\ndeploy/secrets\n';
    const paths = ['var', 'var/daywire.db', 'a.log', 'deploy/secrets/smtp-url'];
    expect(paths.filter((path) => !isIgnored(path, dockerignore))).toEqual([]);
    const kept = ['src/var', 'various', 'docs/a.log', 'deploy/secrets.md', 'comment'];
    expect(kept.filter((path) => isIgnored(path, dockerignore))).toEqual([]);
  });
});
