/** Processor time that this thread takes for synchronous work, in milliseconds: other load hardly changes it. */
export function processorTime(run: () => void): number {
  const start = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1_000;
}
