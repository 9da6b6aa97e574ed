import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** Ends this process when its parent is gone, which a process that is busy does not see itself. */
const watchParent = `
  const { workerData: parent } = require("node:worker_threads");
  setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, "SIGKILL"); }, 1000);
`;

/**
 * Makes this process, which was forked to do another's work, end with that other and by nobody else's signals. Resolves
 * when the watch has begun, which a process that is busy at once would keep from beginning.
 */
export async function endWithParent(): Promise<void> {
  // Before anything else: a parent that is gone when the watch begins must not be taken for another one.
  const { ppid } = process;
  process.on("disconnect", () => process.exit());
  // A terminal interrupts both processes; it is for the parent to decide what ends.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  const watch = new Worker(watchParent, { eval: true, execArgv: [], workerData: ppid });
  await once(watch, "online");
  watch.unref();
}
