import { reasonOf } from "../files/system-error.ts";

/** What can be written to as a terminal is. */
export interface TextStream {
  readonly isTTY: boolean;
  write(text: string): unknown;
}

/** A standard stream whose failure ends nothing: what is written to it afterwards is dropped, and the failure is kept. */
class Output implements TextStream {
  readonly #stream: NodeJS.WriteStream;
  #failure: Error | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    // Without a listener a closed pipe or a full disk would end the process, also by what others write here.
    stream.on("error", this.#fail);
  }

  get isTTY(): boolean {
    return this.#stream.isTTY;
  }

  readonly write = (text: string): void => {
    if (this.#failure) return;
    try {
      this.#stream.write(text);
    } catch (error) {
      this.#fail(error as Error);
    }
  };

  /** The first failure, known once everything is written. */
  async failure(): Promise<NodeJS.ErrnoException | undefined> {
    if (!this.#failure) await new Promise<void>((resolve) => this.#stream.write("", () => resolve()));
    // An error is told after the write that met it.
    await new Promise((resolve) => setImmediate(resolve));
    return this.#failure;
  }

  readonly #fail = (error: Error): void => {
    this.#failure ??= error;
  };
}

/** Standard output, for what was asked for. */
export const results = new Output(process.stdout);

/** Standard error, for the course of things and for what went wrong; nobody need listen. */
export const messages = new Output(process.stderr);

/** Whether all results were taken; tells of those that were not, unless their reader has gone. */
export async function deliverResults(): Promise<boolean> {
  const failure = await results.failure();
  if (failure && failure.code !== "EPIPE") {
    messages.write(`evomerge: cannot write the result to standard output: ${reasonOf(failure)}\n`);
  }
  return failure === undefined;
}
