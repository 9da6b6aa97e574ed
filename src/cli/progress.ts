import type { RunEvent } from "../run/events.ts";
import { duration } from "./duration.ts";
import { eventLines } from "./event-lines.ts";
import { Transfer } from "./transfer.ts";

/** Where no line can live, a transfer is told at these shares of its bytes. */
const TRANSFER_STEPS = 10;

/** Shows a run on a stream: lines that stay and, on a terminal, a last line that lives. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #status = "";
  #transfer: { readonly rate: Transfer; step: number } | undefined;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  readonly show = (event: RunEvent): void => {
    if (event.type === "fetching" || event.type === "pushing") return this.#showTransfer(event);
    if (event.type === "progress") {
      this.#setStatus(`${event.phase} ${Math.round(100 * event.share)} %`);
      return;
    }
    this.#setStatus("");
    for (const line of eventLines(event)) this.#stream.write(`${line}\n`);
    if (event.type === "generation" && "ms" in event.left) this.#setStatus(`search, ${duration(event.left.ms)} left`);
  };

  /** Removes the living line. */
  readonly end = (): void => this.#setStatus("");

  #showTransfer({ type, doneBytes, totalBytes }: Extract<RunEvent, { type: "fetching" | "pushing" }>): void {
    const step = Math.floor((TRANSFER_STEPS * doneBytes) / Math.max(1, totalBytes));
    // What is complete from the start is not told.
    if (this.#transfer === undefined && doneBytes >= totalBytes) return;
    this.#transfer ??= { rate: new Transfer(type), step };
    const line = this.#transfer.rate.line(doneBytes, totalBytes, performance.now());
    if (this.#stream.isTTY) {
      this.#setStatus(line);
    } else if (step > this.#transfer.step) {
      this.#transfer.step = step;
      this.#stream.write(`${line}\n`);
    }
  }

  #setStatus(status: string): void {
    if (!this.#stream.isTTY || status === this.#status) return;
    this.#stream.write(`\r\u001B[K${status}`);
    this.#status = status;
  }
}
