/** The only place that writes to the terminal. Names, paths and messages of strangers pass here on all their ways out. */
import { printable, printableJson, printableLine } from "../files/printable.ts";
import { reasonOf } from "../files/system-error.ts";
import { columnsOf, shortened } from "../report/text/columns.ts";
import { withCommand, wrapped } from "../report/text/wrapped.ts";

/** What can be written to as a terminal is. */
export interface TextStream {
  readonly isTTY: boolean;
  /** Of a terminal, as it is now. */
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** Where nobody says how wide a page is. */
const USUAL_COLUMNS = 80;
/** What is laid out for fewer columns cannot be read. */
const LEAST_COLUMNS = 20;

/** Columns of a line: those of the terminal, or else of the variable COLUMNS, or else 80. */
export function lineWidth(
  { isTTY, columns }: Pick<TextStream, "isTTY" | "columns">,
  environment = process.env,
): number {
  const own = isTTY ? columns : Number(environment["COLUMNS"]);
  return own !== undefined && Number.isInteger(own) && own > 0 ? Math.max(LEAST_COLUMNS, own) : USUAL_COLUMNS;
}

/** Whether the last line of a stream may be written anew: by a terminal that moves its cursor, and that a person looks at. */
function livesOn({ isTTY }: Pick<TextStream, "isTTY">, environment: NodeJS.ProcessEnv): boolean {
  const { TERM: terminal, CI: ci = "" } = environment;
  return isTTY && terminal !== "dumb" && ["", "0", "false"].includes(ci);
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

  get columns(): number | undefined {
    return this.#stream.columns;
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

/** What has a last line that lives, which all else that is written takes the place of. */
let living: LivingText | undefined;

function write(to: TextStream, text: string): void {
  living?.status("");
  to.write(text);
}

/** Whether all results were taken; tells of those that were not, unless their reader has gone. */
export async function deliverResults(): Promise<boolean> {
  const failure = await results.failure();
  if (failure && failure.code !== "EPIPE") {
    tellError(`evomerge: cannot write the result to standard output: ${reasonOf(failure)}`);
  }
  return failure === undefined;
}

/** Writes a result for people as it is laid out: one line, or several. */
export function print(text: string): void {
  write(results, `${printable(text)}\n`);
}

/** Columns of a line of results, as they are laid out. */
export function resultWidth(): number {
  return lineWidth(results);
}

/** Writes a sentence as a result, and a command behind it that a person can copy. */
export function printSentence(sentence: string, command?: string): void {
  write(results, joined(withCommand(printableLine(sentence), command && printableLine(command), lineWidth(results))));
}

/** Writes a result for programs. */
export function printJson(value: unknown): void {
  write(results, `${printableJson(value)}\n`);
}

/** Writes a sentence about the course of things, and a command behind it that a person can copy. */
export function tell(sentence: string, command?: string): void {
  write(messages, joined(withCommand(printableLine(sentence), command && printableLine(command), lineWidth(messages))));
}

/** Whether a person may see what is told, and be asked. */
export function areMessagesSeen(): boolean {
  return messages.isTTY;
}

/** Asks for a line: what is typed stands behind the question. */
export function prompt(question: string): void {
  write(messages, `${printableLine(question)} `);
}

/**
 * Writes an error. What it quotes of several lines is indented, so that no line of it looks like ours. Where no terminal is, what
 * reads it finds it whole.
 */
export function tellError(message: string): void {
  const width = messages.isTTY ? lineWidth(messages) : Infinity;
  const lines = printable(message.replaceAll("\n", "\n  ")).split("\n");
  write(messages, joined(lines.flatMap((line) => wrapped(line, width, { indent: 2 }))));
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** Writes what the command line has to say of itself, such as its help. */
export const usage = {
  writeOut: (text: string): void => write(results, printable(text)),
  writeErr: (text: string): void => write(messages, printable(text)),
};

/** Lines that stay and, on a terminal, a last line that lives. */
export class LivingText {
  readonly #stream: TextStream;
  readonly #environment: NodeJS.ProcessEnv;
  #status = "";

  constructor(stream: TextStream = messages, environment = process.env) {
    this.#stream = stream;
    this.#environment = environment;
  }

  /** Whether there is a last line that lives. */
  get isAlive(): boolean {
    return livesOn(this.#stream, this.#environment);
  }

  /** Columns of a line that stays. */
  get width(): number {
    return lineWidth(this.#stream, this.#environment);
  }

  /** Writes a line that stays, as several where it is wider than the stream. */
  line(line: string): void {
    this.status("");
    this.#stream.write(joined(wrapped(printableLine(line), this.width, { indent: 2 })));
  }

  /** Shows the last line, in place of the one before; an empty one removes it. */
  status(status: string): void {
    if (!this.isAlive) return;
    // The last column stays empty: some terminals go on to the next line there.
    const fitting = shortened(printableLine(status), this.width - 1);
    if (fitting === this.#status) return;
    this.#stream.write(`${this.#erasing()}${fitting}`);
    this.#status = fitting;
    living = fitting === "" ? undefined : this;
  }

  /** What removes the last line, which has become several where the terminal has become narrower. */
  #erasing(): string {
    const above = Math.max(0, Math.ceil(columnsOf(this.#status) / this.width) - 1);
    return above === 0 ? "\r\u001B[K" : `\r\u001B[${above}A\u001B[J`;
  }
}
