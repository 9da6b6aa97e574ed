/** The only place that writes to the terminal. Names, paths and messages of strangers pass here on all their ways out. */
import { printable, printableJson, printableLine } from "../files/printable.ts";
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
const results = new Output(process.stdout);

/** Standard error, for the course of things and for what went wrong; nobody need listen. */
const messages = new Output(process.stderr);

/** Whether all results were taken; tells of those that were not, unless their reader has gone. */
export async function deliverResults(): Promise<boolean> {
  const failure = await results.failure();
  if (failure && failure.code !== "EPIPE") {
    tellError(`evomerge: cannot write the result to standard output: ${reasonOf(failure)}`);
  }
  return failure === undefined;
}

/** Writes a result for people: one line, or several. */
export function print(text: string): void {
  results.write(`${printable(text)}\n`);
}

/** Writes a result for programs. */
export function printJson(value: unknown): void {
  results.write(`${printableJson(value)}\n`);
}

/** Writes a sentence about the course of things. */
export function tell(sentence: string): void {
  messages.write(`${printableLine(sentence)}\n`);
}

/** Whether a person may see what is told, and be asked. */
export function areMessagesSeen(): boolean {
  return messages.isTTY;
}

/** Asks for a line: what is typed stands behind the question. */
export function prompt(question: string): void {
  messages.write(`${printableLine(question)} `);
}

/** Writes an error. What it quotes of several lines is indented, so that no line of it looks like ours. */
export function tellError(message: string): void {
  messages.write(`${printable(message.replaceAll("\n", "\n  "))}\n`);
}

/** Writes what the command line has to say of itself, such as its help. */
export const usage = {
  writeOut: (text: string): void => results.write(printable(text)),
  writeErr: (text: string): void => messages.write(printable(text)),
};

/** Lines that stay and, on a terminal, a last line that lives. */
export class LivingText {
  readonly #stream: TextStream;
  #status = "";

  constructor(stream: TextStream = messages) {
    this.#stream = stream;
  }

  /** Whether there is a last line that lives. */
  get isAlive(): boolean {
    return this.#stream.isTTY;
  }

  /** Writes a line that stays. */
  line(line: string): void {
    this.status("");
    this.#stream.write(`${printableLine(line)}\n`);
  }

  /** Shows the last line, in place of the one before; an empty one removes it. */
  status(status: string): void {
    if (!this.isAlive || status === this.#status) return;
    this.#stream.write(`\r\u001B[K${printableLine(status)}`);
    this.#status = status;
  }
}
