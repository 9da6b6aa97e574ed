import type { ChildProcess } from "node:child_process";
import { UserError } from "../../errors.ts";
import { ChildTime } from "../../files/child-time.ts";
import { startChild } from "../../files/start-child.ts";
import type { Answer, Farewell, Request } from "./protocol.ts";

/** Megabytes of heap: a vocabulary of 262,144 tokens and its 33 MB of text take some 300. */
const HEAP_MB = 1024;
/** How often the child is looked at. */
const LOOK_MS = 250;

/** Rejects what was asked of a process that ended because of somebody else: it can be asked again of the next one. */
export class EndedByOthers extends Error {
  override readonly name = "EndedByOthers";
}

/** Who asks; one that brings the process to its end takes no other with it. */
export type Asker = object;

/** Waits for one answer. */
interface Pending {
  readonly asker: Asker;
  readonly patienceMs: number;
  /** The sentence for people that says why there is no answer. */
  readonly explain: (reason: string) => string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** The tokenizers' process, from outside: it is ended when it takes too long, and nothing here waits for it. */
export class TokenizerChild {
  /** One for all, since a process takes longer to start than most tokenizers to read. */
  static #shared: TokenizerChild | undefined;

  readonly #child: ChildProcess;
  readonly #questions: Pending[] = [];
  #ready = false;
  readonly #time: ChildTime;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** The process that lives, or a new one. */
  static get shared(): TokenizerChild {
    TokenizerChild.#shared ??= new TokenizerChild();
    return TokenizerChild.#shared;
  }

  private constructor() {
    const { child, started } = startChild("tokenizers", {
      what: "the process that tokenizers run in",
      execArgv: [`--max-old-space-size=${HEAP_MB}`],
      serialization: "advanced",
      // What the engine writes when its heap is full is told in a sentence.
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    this.#child = child;
    this.#time = new ChildTime(child.pid);
    started.catch((error: UserError) => this.#end(error));
    this.#child.on("message", (answer: Answer) => this.#take(answer));
    this.#child.on("error", (cause) => this.#failOnceReady(`its process cannot be reached (${cause.message})`));
    this.#child.on("exit", (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      this.#failOnceReady(`its process ended (${how}); it may need more than ${HEAP_MB} MB of memory`);
    });
    // The timer keeps this process alive while a question is open, and nothing else does.
    this.#child.unref();
    this.#child.channel?.unref();
  }

  /**
   * Asks a question. When the answer takes longer than `patienceMs`, not counting what others keep the processors from,
   * or never comes, the child is ended and a UserError explains it.
   */
  ask(asker: Asker, request: Request, patienceMs: number, explain: Pending["explain"]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) return reject(new EndedByOthers());
      this.#questions.push({ asker, patienceMs, explain, resolve, reject });
      this.#child.send(request, (error) => {
        if (error) this.#failOnceReady(`its process cannot be reached (${error.message})`);
      });
      this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    });
  }

  forget(tokenizer: number): void {
    const farewell: Farewell = { kind: "forget", tokenizer };
    if (!this.#isOver) this.#child.send(farewell, () => {});
  }

  /** Ends the process; open questions of the asker are rejected with the reason. */
  stop(asker: Asker | undefined, reason: unknown): void {
    this.#isOver = true;
    if (TokenizerChild.#shared === this) TokenizerChild.#shared = undefined;
    this.#child.kill("SIGKILL");
    for (const { asker: other, reject } of this.#questions.splice(0))
      reject(other === asker ? reason : new EndedByOthers());
    this.#rest();
  }

  #take(answer: Answer): void {
    this.#time.restart();
    if (answer.kind === "ready") this.#ready = true;
    else this.#questions.shift()?.resolve(answer);
    this.#rest();
  }

  /** Time is counted in looks, so that it stands still when this process or the whole machine does. */
  #look(): void {
    if (!this.#ready) return;
    const patienceMs = this.#questions[0]?.patienceMs ?? Infinity;
    if (this.#time.look(LOOK_MS) > patienceMs) this.#fail(`it takes more than ${Math.round(patienceMs / 1000)} s`);
  }

  #rest(): void {
    if (this.#questions.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The question that it was at, or a process that nothing was asked of, is to blame. */
  #fail(reason: string): void {
    const [at] = this.#questions;
    this.#end(at && new UserError(at.explain(reason)));
  }

  /** Of a process that does not start it is told why. */
  #failOnceReady(reason: string): void {
    if (this.#ready) this.#fail(reason);
  }

  #end(reason: UserError | undefined): void {
    if (!this.#isOver) this.stop(this.#questions[0]?.asker, reason);
  }
}
