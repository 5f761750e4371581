/**
 * What Linux tells of a process and its descendants in /proc: memory and processor time.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks a second in /proc/PID/stat: 100 wherever Linux runs Node. */
const TICKS = 100;

/** Resident memory of a process and its descendants, in MiB; 0 where it has ended. */
export function residentMiB(pid: number): number {
  return [pid, ...descendants(pid)].reduce((sum, one) => sum + statusMiB(one, 'VmRSS'), 0);
}

/** The highest resident memory of a process alone since its start, in MiB; 0 where it has ended. */
export function peakResidentMiB(pid: number): number {
  return statusMiB(pid, 'VmHWM');
}

/** Processor seconds of a process and its descendants, with those of descendants that it has waited for. */
export function processorSeconds(pid: number): number {
  const ticks = [pid, ...descendants(pid)].map((one) => {
    // The name, in parentheses, may hold spaces. After it: state is field 3, and utime to cstime are 14 to 17.
    const fields = read(`/proc/${one}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS;
}

/** How often the threads of a process and its descendants have waited, and were woken. */
export function voluntarySwitches(pid: number): number {
  return [pid, ...descendants(pid)]
    .flatMap((one) => threadsOf(one).map((thread) => read(`/proc/${one}/task/${thread}/status`)))
    .reduce((sum, status) => sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0), 0);
}

function statusMiB(pid: number, key: string): number {
  const kilobytes = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes ?? 0) / 1_024;
}

function descendants(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`)
      .split(' ')
      .filter((child) => child.trim() !== '')
      .map(Number),
  );
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Empty where the process has ended. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
