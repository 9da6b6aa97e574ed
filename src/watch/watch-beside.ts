import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { UserError } from "../errors.ts";
import { startChild, type StartedChild } from "../files/start-child.ts";
import type { CommandFor } from "../report/next-steps.ts";
import type { WatchedRun } from "./watch-run.ts";

/** What the process is asked, after it has said that it is ready; the next message asks it to end. */
export interface WatchRequest {
  readonly folder: string;
  /** What the page tells to do, as whoever called this program types it: by the name of the command. */
  readonly commands: Readonly<Record<string, string>>;
}

export type WatchAnswer = "ready" | { readonly address: string } | { readonly refusal: string };

/** Commands that the page of a run tells. */
const TOLD_COMMANDS = ["resume", "export", "evaluate", "report"] as const;
/** For the last state, which browsers are told at the end: drawn in a second where nothing else asks for the machine. */
const PATIENCE_MS = 30_000;

/**
 * Shows a run as `watchRun` does, by a process of its own, which ends with this one: to draw a page takes time that a run's own thread
 * has not. `onEnd` is told where it ends by itself.
 */
export async function watchBeside(
  folder: string,
  { commandFor, onEnd }: { readonly commandFor: CommandFor; readonly onEnd: (why: string) => void },
): Promise<WatchedRun> {
  const { child, started } = startChild("watching", {
    what: "the process that shows it",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const request: WatchRequest = {
    folder,
    commands: Object.fromEntries(TOLD_COMMANDS.map((command) => [command, commandFor(command, folder)])),
  };
  const address = await addressOf({ child, started }, request);
  let isAsked = false;
  child.once("exit", (code, signal) => {
    if (!isAsked) onEnd(`its process has ended (${signal ?? `exit code ${code}`})`);
  });
  // A failure to send to a process that has ended is told by its end.
  child.on("error", () => {});
  return {
    address,
    [Symbol.asyncDispose]: async () => {
      isAsked = true;
      await ended(child);
    },
  };
}

async function addressOf({ child, started }: StartedChild, request: WatchRequest): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill("SIGKILL");
      reject(new UserError(`the run cannot be shown: ${why}`));
    };
    child.on("message", (answer: WatchAnswer) => {
      if (answer === "ready") return;
      if ("refusal" in answer) fail(answer.refusal);
      else resolve(answer.address);
    });
    const ask = (): void => {
      child.once("exit", (code, signal) => fail(`its process has ended (${signal ?? `exit code ${code}`})`));
      child.send(request, () => {});
    };
    started.then(ask).catch(({ message }: UserError) => fail(message));
  });
}

/** It is given time for its last words. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  if (child.connected) child.send("end");
  await Promise.race([exit, setTimeout(PATIENCE_MS, undefined, { ref: false })]);
  child.kill("SIGKILL");
  await exit;
}
