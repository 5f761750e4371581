/** Process ids: where they are unique, and which of them exist. */
import { readFileSync, readlinkSync } from 'node:fs';

export interface ProcessIds {
  /**
   * Identifies where an id names one process: this boot of the system, and the namespace of its container. Null where
   * the system does not tell: machines and containers may share a host name.
   */
  scope: string | null;
  exists(pid: number): boolean;
}

/** The process ids that this process can see. */
export const PROCESS_IDS: ProcessIds = { scope: readScope(), exists: processExists };

function readScope(): string | null {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

function processExists(pid: number): boolean {
  try {
    // Signal 0 only checks (kill(2)).
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it belongs to another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
