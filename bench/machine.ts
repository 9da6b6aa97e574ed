import { availableParallelism, cpus, loadavg } from "node:os";

/** What a result depends on besides the code; load above zero is other work, which takes its share of the cores. */
export function machine(): string {
  const [load = 0] = loadavg();
  return `${cpus()[0]?.model}, ${availableParallelism()} cores, load ${load.toFixed(1)}; Node ${process.version}`;
}
