/**
 * Checks the folders and files that the configuration names.
 */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import { type Finding, ok, problem } from '../../core/finding.ts';

export function checkFolders(config: Config): Finding[] {
  const {
    paths,
    import: { watch },
  } = config;
  const findings: Finding[] = [];
  for (const [key, path] of [
    ['paths.feeds', paths.feeds],
    ['paths.data', paths.data],
  ] as const) {
    if (!isWritable(path)) findings.push(problem(`${key} is ${path}: it cannot be written`));
  }
  const read: [key: string, path: string][] = watch.map((path) => ['import.watch', path]);
  if (paths.media !== undefined) read.push(['paths.media', paths.media]);
  for (const [key, path] of read) {
    if (!existsSync(path)) findings.push(problem(`${key} is ${path}: there is no such file or folder`));
  }
  findings.push(...checkPictures(config));
  return findings.length > 0 ? findings : [ok(`folders: ${paths.feeds} and ${paths.data} can be written`)];
}

/** Emails would show an empty frame. */
function checkPictures({ paths: { media }, publication: { logo }, newsletters }: Config): Finding[] {
  const pictures: [key: string, file: string | undefined][] = [
    ['publication.logo.url', logo?.url],
    ['publication.logo.darkUrl', logo?.darkUrl],
    ...newsletters.map(({ id, sponsor }): [string, string | undefined] => [
      `newsletters ${id}: sponsor.image.file`,
      sponsor?.image?.file,
    ]),
  ];
  return pictures.flatMap(([key, file]) =>
    file === undefined || media === undefined || /^https?:/.test(file) || existsSync(join(media, file))
      ? []
      : [problem(`${key} is ${file}: there is no such file in ${media}`)],
  );
}

/** Whether the folder, or the nearest existing one above it, can be written. */
export function isWritable(path: string): boolean {
  if (!existsSync(path)) return dirname(path) !== path && isWritable(dirname(path));
  try {
    accessSync(path, constants.W_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
