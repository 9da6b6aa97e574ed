import { spawn } from "node:child_process";

/** Waits for the end of its input, then kills the process group that it was told. */
const WATCHER = 'read -r _; kill -s KILL -- "-$0"';

/**
 * Ends a process group when this process ends in any way, be it killed: a shell out of reach of signals to us reads a pipe
 * that nobody else holds. Returns what calls that off. Windows has neither such groups nor that shell.
 */
export function endWithUs(group: number | undefined): () => void {
  if (group === undefined || process.platform === "win32") return () => {};
  const watcher = spawn("/bin/sh", ["-c", WATCHER, String(group)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // Without it all goes on as well.
  watcher.on("error", () => {});
  return () => void watcher.kill("SIGKILL");
}
