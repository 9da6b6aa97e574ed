import type { RunEvent } from "../run/events.ts";
import { duration } from "./duration.ts";
import { eventLines } from "./event-lines.ts";

/** Shows a run on a stream: lines that stay and, on a terminal, a last line that lives. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #status = "";

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  readonly show = (event: RunEvent): void => {
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

  #setStatus(status: string): void {
    if (!this.#stream.isTTY || status === this.#status) return;
    this.#stream.write(`\r\u001B[K${status}`);
    this.#status = status;
  }
}
