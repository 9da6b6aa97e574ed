import type { RunEvent } from "../run/events.ts";
import { duration } from "./duration.ts";
import { eventLines } from "./event-lines.ts";
import { LivingText } from "./output.ts";
import { Transfer } from "./transfer.ts";

/** Where no line can live, a transfer is told at these shares of its bytes. */
const TRANSFER_STEPS = 10;
/** Bytes arrive in far more pieces than anyone can read lines. */
const TRANSFER_PAUSE_MS = 100;

/** Shows a run on a stream: lines that stay and, on a terminal, a last line that lives. */
export class Progress {
  readonly #text: LivingText;
  #transfer: { readonly type: string; readonly rate: Transfer; shownAt: number; step: number } | undefined;

  constructor(text = new LivingText()) {
    this.#text = text;
  }

  readonly show = (event: RunEvent): void => {
    if (event.type === "fetching" || event.type === "pushing") return this.#showTransfer(event);
    if (event.type === "progress") {
      this.#text.status(`${event.phase} ${Math.round(100 * event.share)} %`);
      return;
    }
    this.#text.status("");
    for (const line of eventLines(event)) this.#text.line(line);
    if (event.type === "generation" && "ms" in event.left) this.#text.status(`search, ${duration(event.left.ms)} left`);
  };

  /** Removes the living line. */
  readonly end = (): void => this.#text.status("");

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
    if (this.#text.isAlive) {
      this.#text.status(line);
    } else if (step > transfer.step) {
      transfer.step = step;
      this.#text.line(line);
    }
  }
}
