import { spawnSync } from "node:child_process";

/** Whether there is a process that has not ended, be it that its parent does not ask how it did. */
export function isRunning(pid: string): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", pid], { encoding: "utf8" });
  return /^[^Z\s]/.test(stdout);
}
