/** Questions that a person answers on the terminal, or that have an answer already. */
import { createInterface, type Interface } from "node:readline";
import { UserError } from "../errors.ts";
import { areMessagesSeen, prompt, tell } from "./output.ts";

/** A question, and what to do with the answer. */
export interface LineQuestion<T> {
  readonly text: string;
  /** What an empty line means, and what is taken where nobody is asked; without it there must be an answer. */
  readonly preset?: string | undefined;
  /** What there is to say where nobody is asked and there is no preset. */
  readonly missing: string;
  /** Reads an answer; its UserErrors are told, and the question is asked again. */
  readonly read: (answer: string) => T | Promise<T>;
}

/** Asks a person, where there is one. */
export class Questions implements Disposable {
  readonly #input: Interface | undefined;
  readonly #lines: AsyncIterator<string> | undefined;

  /** `isAsking` says whether anybody is asked: not in a script. */
  constructor(isAsking: boolean, input: NodeJS.ReadableStream = process.stdin) {
    // The terminal itself shows what is typed, and lets it be corrected.
    this.#input = isAsking ? createInterface({ input }) : undefined;
    this.#lines = this.#input?.[Symbol.asyncIterator]();
  }

  /** Whether a person is at both ends. */
  static get areAnswered(): boolean {
    return process.stdin.isTTY && areMessagesSeen();
  }

  async ask<T>({ text, preset, missing, read }: LineQuestion<T>): Promise<T> {
    if (!this.#lines) {
      if (preset === undefined) throw new UserError(missing);
      return read(preset);
    }
    for (;;) {
      prompt(preset === undefined ? `${text}:` : `${text} [${preset}]:`);
      const { value, done } = await this.#lines.next();
      if (done) throw new UserError("the answers ended; nothing was written");
      const answer = value.trim() || preset;
      if (answer === undefined) continue;
      try {
        return await read(answer);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        tell(error.message);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#input?.close();
  }
}
