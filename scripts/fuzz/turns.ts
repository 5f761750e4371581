/**
 * Measures the longest turn of the event loop in the process that loads it by `--import`, in milliseconds of its main
 * thread's processor time: other work of the machine does not change it. Each message gets the figure, and starts it
 * from zero.
 */
let longest = 0;
let before = usedMs();
setInterval(() => {
  const used = usedMs();
  longest = Math.max(longest, used - before);
  before = used;
}, 1).unref();
process.on('message', () => {
  process.send?.(longest);
  longest = 0;
});
process.channel?.unref();

function usedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
