import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { compiled } from "../compiled.ts";

/** What a command left when it ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  /** What it says on every machine, however slow: see `untimed`. */
  readonly stderr: string;
}

/** Lines that the clock decides about: how far something has come that goes on. */
const TIMED = /^(?: ?\d{1,2} % {2}.*|preparing: .* so far)\n/gm;

/** The end of a transfer, which breaks silences until there is something newer. */
const ENDED = /^(?<end>100 % {2}(?<transfer>\w+ \S+ \S+ of \S+ \S+) .*\n)(?:100 % {2}\k<transfer> .*\n)+/gm;

/** What a command told, without what it tells only where it takes long. */
export function untimed(text: string): string {
  return text.replaceAll(TIMED, "").replaceAll(ENDED, "$<end>");
}

const main = compiled("cli/main");

/** The command line as words, for a shell in any folder. */
export const command: readonly string[] = [process.execPath, main];

/** The command line as a process that was started by it prints it. */
export const shownCommand: string = ["node", ...command.slice(1)].join(" ");

/** Runs a line as a shell does into which it was pasted. */
export async function pasted(folder: string, line: string, env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  const child = spawn("sh", ["-c", line], { cwd: folder, env });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, stdout, stderr: untimed(stderr) };
}

export interface Surroundings {
  /** Sees the process at once. */
  readonly watch?: (child: ChildProcessWithoutNullStreams) => void;
  /** Variables to add to those of this process. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs the command line in a process of its own, in the given folder. */
export async function evomerge(
  folder: string,
  args: readonly string[],
  { watch, env }: Surroundings = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    timeout: 600_000,
    env: { ...process.env, ...env },
  });
  watch?.(child);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, stdout, stderr: untimed(stderr) };
}
