/**
 * The limit of open files, which connections share with the store, with mail and with everything else.
 */

/** Files and connections that the rest of the process needs, such as those to the store and to the mail server. */
const RESERVED = 200;
const MIN_CONNECTIONS = 20;

let limit: number | null = null;

/** How many files this process may have open; infinite where that is unknown. */
export function openFilesLimit(): number {
  // A process keeps its limit, and a report takes some 40 ms.
  limit ??= readLimit();
  return limit;
}

function readLimit(): number {
  // Otherwise it resolves the name of every peer. Not in the types of Node 24 yet.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft: number | 'unlimited' } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY;
}

/** As many of the wanted connections as leave enough files for the rest of the process. */
export function connectionsWithin(openFiles: number, wanted: number): number {
  return Math.min(wanted, Math.max(openFiles - RESERVED, MIN_CONNECTIONS));
}
