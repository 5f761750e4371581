/**
 * The commands of a page, so that they are tried as they are written.
 */

/**
 * @param page Markdown
 * @returns the lines of its first block of shell commands, without comments
 * @throws Error where there is none
 */
export function commandsOf(page: string): string[] {
  const [, block] = /\n```sh\n([\s\S]*?)\n```\n/.exec(page) ?? [];
  const lines = (block ?? '').split('\n').map((line) => line.replace(/(?:^| +)# .*$/, ''));
  const commands = lines.filter((line) => line.trim() !== '');
  if (commands.length === 0) throw new Error('the page has no shell commands');
  return commands;
}
