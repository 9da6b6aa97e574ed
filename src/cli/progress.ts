import type { RunEvent } from "../run/events.ts";
import { duration } from "./duration.ts";
import { eventLines } from "./event-lines.ts";
import { messages, type TextStream } from "./output.ts";
import { Transfer } from "./transfer.ts";

/** Where no line can live, a transfer is told at these shares of its bytes. */
const TRANSFER_STEPS = 10;
/** Bytes arrive in far more pieces than anyone can read lines. */
const TRANSFER_PAUSE_MS = 100;

/** Shows a run on a stream: lines that stay and, on a terminal, a last line that lives. */
export class Progress {
  readonly #stream: TextStream;
  #status = "";
  #transfer: { readonly type: string; readonly rate: Transfer; shownAt: number; step: number } | undefined;

  constructor(stream: TextStream = messages) {
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
    const now = performance.now();
    const step = Math.floor((TRANSFER_STEPS * doneBytes) / Math.max(1, totalBytes));
    if (this.#transfer?.type !== type) {
      // What is complete from the start is not told.
      if (doneBytes >= totalBytes) return;
      this.#transfer = { type, rate: new Transfer(type), shownAt: -Infinity, step };
    }
    const transfer = this.#transfer;
    if (now < transfer.shownAt + TRANSFER_PAUSE_MS && doneBytes < totalBytes) return;
    transfer.shownAt = now;
    const line = transfer.rate.line(doneBytes, totalBytes, now);
    if (this.#stream.isTTY) {
      this.#setStatus(line);
    } else if (step > transfer.step) {
      transfer.step = step;
      this.#stream.write(`${line}\n`);
    }
  }

  #setStatus(status: string): void {
    if (!this.#stream.isTTY || status === this.#status) return;
    this.#stream.write(`\r\u001B[K${status}`);
    this.#status = status;
  }
}
