/** Numbers in the English texts of commands, the desk and alerts. */

/** `1,204`. */
export function formatCount(number: number): string {
  return number.toLocaleString('en');
}

/** `1 report`, `1,204 reports`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${formatCount(number)} ${number === 1 ? one : many}`;
}
