import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { DevicePlace } from "../device/open-device.ts";
import type { EngineName } from "../device/engine-names.ts";
import { UserError } from "../errors.ts";
import type { WorkspaceOptions } from "../experiment/workspace.ts";
import { startChild } from "../files/start-child.ts";
import { type WorkerAnswer, answerOf } from "./answers.ts";
import type { Job, PostedJob } from "./jobs.ts";

/** Parents and engine as plain data. */
export type DeviceModels = Pick<WorkspaceOptions, "base" | "experts" | "tokenizer" | "precision"> & {
  readonly engine: EngineName;
};

/** What the process is told first, after it has said that it is ready. */
export interface DeviceOpening {
  /** By which the run speaks of it. */
  readonly name: string;
  readonly models: DeviceModels;
  readonly place: DevicePlace;
  /** From when it has opened its device, it says so often that it lives. */
  readonly beatMs: number;
}

/** What it is asked when it has opened: one job after the other, and to leave the one at hand. */
export type DeviceRequest = PostedJob | "leave";
export type DeviceAnswer = "ready" | "opened" | "alive" | { readonly refusal: string } | WorkerAnswer;

/** Characters: CUDA's backend says what has failed, and ends the process. */
const LAST_WORDS = 400;
/** Within which a process leaves its job, between two steps of the device: one that hangs does not. */
const LEAVE_MS = 30_000;
/**
 * One of which nothing is heard for so long at a job hangs. Lanes compute on threads of their own; an engine that computes where
 * it listens does so between two steps of the device.
 */
const SILENT_MS = 120_000;
/** So often in that time it is looked whether something was heard. */
const LOOKS = 12;

interface Patience {
  readonly leaveMs?: number;
  readonly silentMs?: number;
}

/** Does one job after the other. */
export interface DeviceHand {
  /** The answer to a job; rejects with the signal's reason where that aborts, once nothing of the job goes on. */
  answer(job: Job, signal: AbortSignal): Promise<WorkerAnswer>;
}

/** A process that scores on a device of its own, from the run's side. What keeps it from doing a job is a UserError. */
export class DeviceChild implements DeviceHand, AsyncDisposable {
  readonly name: string;
  /** When it can be asked. */
  readonly opened: Promise<void>;
  readonly #child: ChildProcess;
  readonly #leaveMs: number;
  readonly #silentMs: number;
  /** Looks since something was heard: by these, since the run itself may have been stopped meanwhile. */
  #looks = 0;
  #waiting: { resolve: (answer: DeviceAnswer) => void; reject: (reason: UserError) => void } | undefined;
  /** The end of what it, or a library in it, has written to standard error. */
  #said = "";
  /** Why it is asked nothing more. */
  #end: UserError | undefined;

  constructor(opening: Omit<DeviceOpening, "beatMs">, { leaveMs = LEAVE_MS, silentMs = SILENT_MS }: Patience = {}) {
    this.name = opening.name;
    this.#leaveMs = leaveMs;
    this.#silentMs = silentMs;
    const { child, started } = startChild("scoring", {
      what: "the process that scores on it",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child = child;
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#said = (this.#said + text).slice(-LAST_WORDS);
    });
    this.#child.on("message", (answer: DeviceAnswer) => {
      this.#looks = 0;
      if (answer !== "alive") this.#waiting?.resolve(answer);
    });
    this.#child.on("error", ({ message }) => this.#fail(`its process cannot be reached (${message})`));
    // Behind all that it has said.
    this.#child.on("close", (code, signal) => this.#fail(this.#explainEnd(signal ?? `exit code ${code}`)));
    this.opened = this.#open({ ...opening, beatMs: silentMs / LOOKS }, started);
  }

  async answer(job: Job, signal: AbortSignal): Promise<WorkerAnswer> {
    signal.throwIfAborted();
    let patience: NodeJS.Timeout | undefined;
    this.#looks = 0;
    const looking = setInterval(() => this.#look(), this.#silentMs / LOOKS);
    const leave = (): void => {
      this.#send("leave");
      patience = setTimeout(() => this.#fail("its process does not leave its job"), this.#leaveMs);
    };
    signal.addEventListener("abort", leave);
    try {
      const answer = answerOf(await this.#ask({ call: this.name, job }));
      signal.throwIfAborted();
      if ("why" in answer && answer.kind !== "engine") throw new UserError(answer.why);
      return answer;
    } finally {
      signal.removeEventListener("abort", leave);
      clearTimeout(patience);
      clearInterval(looking);
    }
  }

  /** A GPU's driver frees what a process had when that ends, however it does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail("it was ended");
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }

  async #open(opening: DeviceOpening, started: Promise<void>): Promise<void> {
    await Promise.all([started, this.#next()]);
    const answer = await this.#ask(opening);
    if (typeof answer === "object" && "refusal" in answer) throw new UserError(answer.refusal);
  }

  #ask(request: DeviceOpening | PostedJob): Promise<DeviceAnswer> {
    this.#send(request);
    return this.#next();
  }

  /** What it says next. */
  #next(): Promise<DeviceAnswer> {
    if (this.#end) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** One that has ended is told of by its end. */
  #send(request: DeviceOpening | DeviceRequest): void {
    if (this.#child.connected) this.#child.send(request, () => {});
  }

  #look(): void {
    this.#looks += 1;
    if (this.#looks > LOOKS) this.#fail(`its process hangs: nothing was heard of it for ${this.#silentMs / 1000} s`);
  }

  #explainEnd(how: string): string {
    const words = this.#said.split("\n").findLast((line) => line.trim() !== "");
    return `its process has ended (${how})${words === undefined ? "" : `, and said last: ${words.trim()}`}`;
  }

  #fail(why: string): void {
    this.#end ??= new UserError(why);
    this.#waiting?.reject(this.#end);
  }
}
