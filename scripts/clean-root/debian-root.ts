/**
 * A clean root with a minimal Debian, from the mirror that this machine uses. It takes about a minute. For steps that
 * need apt, such as those of an image.
 */
import { execFileSync } from 'node:child_process';
import { CleanRoot } from './clean-root.ts';

/**
 * @param path an empty or missing folder
 * @param packages to be installed besides the minimum
 * @throws Error where debootstrap fails, with its log
 */
export function makeDebianRoot(path: string, packages: string[] = []): CleanRoot {
  const { suite, mirror } = ownSource();
  const include = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
  execFileSync('debootstrap', ['--variant=minbase', ...include, suite, path, mirror], { stdio: 'pipe' });
  return new CleanRoot(path);
}

/** Why no Debian root can be made here; null where it can. */
export function missingForDebianRoot(): string | null {
  try {
    execFileSync('debootstrap', ['--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'debootstrap is not installed: on Debian, "apt-get install --no-install-recommends debootstrap"';
  }
}

function ownSource(): { suite: string; mirror: string } {
  const format = '$(CODENAME) $(SITE) $(COMPONENT) $(CREATED_BY)';
  const targets = execFileSync('apt-get', ['indextargets', '--format', format], { encoding: 'utf8' });
  const [, suite, mirror] = /^(\w+) (\S+) main Packages$/m.exec(targets) ?? [];
  if (suite === undefined || mirror === undefined) throw new Error('apt has no source with the component main');
  return { suite, mirror };
}
