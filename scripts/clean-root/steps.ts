/** Prints what a check in a clean root does, with the seconds of each step. */

/** Does a step, and prints its name and time. @throws Error that begins with the name of the step */
export async function step<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const from = performance.now();
  try {
    const result = await work();
    print(`${secondsSince(from).padStart(7)}  ${name}`);
    return result;
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** @param from as `performance.now()` returned it */
export function secondsSince(from: number): string {
  return `${((performance.now() - from) / 1000).toFixed(1)} s`;
}
