/**
 * The commands of the README's installation, so that they are tried as they are written.
 */

/**
 * @param readme Markdown
 * @param heading of the section, without its marks
 * @returns the lines of the section's first block of shell commands, without comments
 * @throws Error where there is none
 */
export function commandsOf(readme: string, heading: string): string[] {
  const [, section] = readme.split(`\n## ${heading}\n`);
  const [, block] = /\n```sh\n([\s\S]*?)\n```\n/.exec(section?.split('\n## ')[0] ?? '') ?? [];
  const lines = (block ?? '').split('\n').map((line) => line.replace(/(?:^| +)# .*$/, ''));
  const commands = lines.filter((line) => line.trim() !== '');
  if (commands.length === 0) throw new Error(`the README has no shell commands under "## ${heading}"`);
  return commands;
}
