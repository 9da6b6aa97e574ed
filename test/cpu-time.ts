/** Milliseconds that this process, its threads included, has computed: what other processes do does not count. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
