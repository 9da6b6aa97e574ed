import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Which process, told apart from later ones that get the same number; the optional parts are known on Linux only. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Hash of the machine's own id; hosts may have one name. */
  readonly machine?: string;
  /** Changes whenever the machine starts. */
  readonly boot?: string;
  /** The PID namespace, within which the number is one; containers of a machine have their own. */
  readonly namespace?: string;
  /** The time namespace, whose clock tells when a process started. */
  readonly clock?: string;
  /** When the process started, in clock ticks since the machine did. */
  readonly started?: string;
}

/** The PID namespace of a machine's own processes, by a number that Linux fixes; those of containers come and go. */
const INITIAL_NAMESPACE = "pid:[4026531836]";

export function currentProcess(): ProcessIdentity {
  const started = readStatus(process.pid)?.started;
  return { pid: process.pid, ...currentPlace(), ...(started === undefined ? {} : { started }) };
}

/** Where this process is: all that must be equal for a number to be the same process's. */
export function currentPlace(): Omit<ProcessIdentity, "pid" | "started"> {
  const optional = {
    machine: readMachine(),
    boot: orUndefined(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    namespace: orUndefined(() => readlinkSync("/proc/self/ns/pid")),
    clock: orUndefined(() => readlinkSync("/proc/self/ns/time")),
  };
  const known = Object.entries(optional).filter(([, value]) => value !== undefined);
  return { host: hostname(), ...Object.fromEntries(known) };
}

/** What can be said of a process from here; "unknown" wherever its end is not proven. */
export type Life = "running" | "ended" | "unknown";

/**
 * Whether a process is running. Nothing is proven of one on another host, or in another PID namespace of this one. Of a
 * machine's earlier starts none runs, but only outside of containers are host and machine id one machine's; of two copies
 * of a virtual machine that have both in common, too, nothing tells that they are two.
 */
export function lifeOf(
  { pid, host, machine, boot, namespace, clock, started }: ProcessIdentity,
  here: Omit<ProcessIdentity, "pid" | "started"> = currentPlace(),
): Life {
  if (host !== here.host) return "unknown";
  if (boot !== here.boot) {
    const isSameMachine = machine !== undefined && machine === here.machine;
    const isOutside = namespace === INITIAL_NAMESPACE && here.namespace === INITIAL_NAMESPACE;
    return boot !== undefined && here.boot !== undefined && isSameMachine && isOutside ? "ended" : "unknown";
  }
  if (namespace !== here.namespace || (boot !== undefined && namespace === undefined)) return "unknown";
  if (!exists(pid)) return "ended";
  const status = readStatus(pid);
  if (status === undefined) return "unknown";
  if (isDead(status.state)) return "ended";
  if (started === undefined || clock !== here.clock) return "unknown";
  return status.started === started ? "running" : "ended";
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Any other error is no proof, such as EPERM: it runs, under another user.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Zombies have ended and only wait for their parent to notice. */
function isDead(state: string | undefined): boolean {
  return state === "Z" || state === "X";
}

function readMachine(): string | undefined {
  const id = orUndefined(() => readFileSync("/etc/machine-id", "utf8").trim());
  // The id itself is meant to stay on the machine.
  return id ? createHash("sha256").update(`evomerge ${id}`).digest("hex").slice(0, 16) : undefined;
}

/** Fields 3 and 22 of /proc/<pid>/stat; field 2, the command, is in parentheses and may hold anything. */
function readStatus(
  pid: number,
): { readonly state: string | undefined; readonly started: string | undefined } | undefined {
  const stat = orUndefined(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0], started: fields[19] };
}

function orUndefined(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
