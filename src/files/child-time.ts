import { readFileSync } from "node:fs";

/** Milliseconds of a tick in /proc/<pid>/stat: Linux counts a hundred a second, whatever the kernel's own clock. */
const TICK_MS = 10;

/** A child that does not compute waits for somebody; it is given so many times its patience. */
const WAITING = 5;

/**
 * How long a child takes for an answer, for whoever looks from time to time. Where the system tells it, that is the processors' time,
 * so that a busy machine does not make a child look endless; elsewhere, and at most, it is the time that passes.
 */
export class ChildTime {
  readonly #pid: number | undefined;
  #passedMs = 0;
  #beganMs: number;

  constructor(pid: number | undefined) {
    this.#pid = pid;
    this.#beganMs = processorMs(pid) ?? 0;
  }

  /** It is asked something else. */
  restart(): void {
    this.#passedMs = 0;
    this.#beganMs = processorMs(this.#pid) ?? 0;
  }

  /** Milliseconds that it took, now that so many more have passed. */
  look(passedMs: number): number {
    this.#passedMs += passedMs;
    const nowMs = processorMs(this.#pid);
    if (nowMs === undefined) return this.#passedMs;
    return Math.min(this.#passedMs, Math.max(nowMs - this.#beganMs, this.#passedMs / WAITING));
  }
}

/** What a process has computed, user's and system's time, fields 14 and 15; field 2, the command, is in parentheses and may hold anything. */
function processorMs(pid: number | undefined): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return TICK_MS * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return undefined;
  }
}
