import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** Which process, told apart from later ones that get the same number; the optional parts are known on Linux only. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Changes whenever the machine starts. */
  readonly boot?: string;
  /** When the process started, in clock ticks since the machine did. */
  readonly started?: string;
}

export function currentProcess(): ProcessIdentity {
  const boot = readBoot();
  const started = readStatus(process.pid)?.started;
  return {
    pid: process.pid,
    host: hostname(),
    ...(boot === undefined ? {} : { boot }),
    ...(started === undefined ? {} : { started }),
  };
}

/** Whether the process may still be running; true where this machine cannot tell, as for a process on another one. */
export function isRunning({ pid, host, boot, started }: ProcessIdentity): boolean {
  if (host !== hostname()) return true;
  if (boot !== readBoot() || !exists(pid)) return false;
  const status = readStatus(pid);
  if (status === undefined || started === undefined) return true;
  return status.started === started && !isDead(status.state);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, under another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Zombies have ended and only wait for their parent to notice. */
function isDead(state: string | undefined): boolean {
  return state === "Z" || state === "X";
}

function readBoot(): string | undefined {
  return readIfPresent("/proc/sys/kernel/random/boot_id")?.trim();
}

/** Fields 3 and 22 of /proc/<pid>/stat; field 2, the command, is in parentheses and may hold anything. */
function readStatus(
  pid: number,
): { readonly state: string | undefined; readonly started: string | undefined } | undefined {
  const stat = readIfPresent(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0], started: fields[19] };
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
