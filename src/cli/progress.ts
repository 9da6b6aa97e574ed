import { type Clock, systemClock } from "../run/clock.ts";
import type { RunEvent } from "../run/events.ts";
import { duration } from "../report/duration.ts";
import { LivingText } from "./output.ts";
import { PhaseTime } from "./phase-time.ts";
import { noticeLines, searchEnd } from "./plain-lines.ts";
import { Transfer } from "./transfer.ts";

/** Where no line can live, a transfer is told at these shares of its bytes. */
const TRANSFER_STEPS = 10;
/** Bytes arrive in far more pieces than anyone can read lines. */
const TRANSFER_PAUSE_MS = 100;
/** Where no line can live, no more time than this passes without a line. */
const LONGEST_SILENCE_MS = 30_000;

/** Of a search with very many generations, a line is written of those that are so much of its budget apart. */
const GENERATION_STEP = 1 / 50;

/** What every command tells of. */
type PlainEvent = Extract<RunEvent, { type: "notice" | "fetching" | "pushing" | "merging" | "progress" }>;

/**
 * Shows what goes on, on a stream: lines that stay and, on a terminal, a last line that lives; elsewhere that line from time to
 * time. What a run tells beside that is shown where `eventLines` are given, which know all of a search.
 */
export class Progress<Event extends RunEvent = PlainEvent> {
  readonly #linesOf: (event: Event, width: number) => readonly string[];
  readonly #text: LivingText;
  readonly #clock: Clock;
  #transfer: { readonly type: string; readonly rate: Transfer; shownAt: number; step: number } | undefined;
  #phase: PhaseTime | undefined;
  /** How much of the search was spent at the last line on it. */
  #spent = -Infinity;
  /** The last line as it is now. */
  #status: () => string;
  #endSilence: (() => void) | undefined;

  constructor(
    linesOf: (event: Event, width: number) => readonly string[] = noticeLines,
    text = new LivingText(),
    clock = systemClock,
  ) {
    this.#linesOf = linesOf;
    this.#text = text;
    this.#clock = clock;
    const began = clock.now();
    this.#status = () => `preparing: looking at models and rows, ${duration(clock.now() - began)} so far`;
    this.#listen();
  }

  readonly show = (event: Event): void => {
    if (!this.#endSilence) this.#listen();
    if (event.type === "fetching" || event.type === "pushing" || event.type === "merging")
      return this.#showTransfer(event);
    // The share is that of a generation; of the search a line says when it ends.
    if (event.type === "progress")
      return this.reach(event.phase === "search" ? "generation" : event.phase, event.share, event.leftMs);
    this.#text.status("");
    if (this.#isWorthALine(event)) for (const line of this.#linesOf(event, this.#text.width)) this.line(line);
    if (event.type === "generation" && "ms" in event.left) {
      const status = searchEnd(event.left.ms);
      this.#live(() => status);
    }
  };

  /** Shows that a share of a phase is done, and what is left of a budget of time, in milliseconds. */
  readonly reach = (phase: string, share: number, leftMs?: number): void => {
    if (!this.#endSilence) this.#listen();
    const now = this.#clock.now();
    if (this.#phase?.name !== phase || share < this.#phase.share) this.#phase = new PhaseTime(phase, share, now);
    const own = this.#phase;
    own.reach(share, now);
    const budget = leftMs === undefined ? "" : `; budget ends in ${duration(leftMs)}`;
    this.#live(() => `${own.text(this.#clock.now())}${budget}`);
  };

  /** Writes a line that stays. */
  readonly line = (line: string): void => {
    this.#text.line(line);
    this.#listen();
  };

  /** Removes the living line, and says no more until there is something to show. */
  readonly end = (): void => {
    this.#text.status("");
    this.#endSilence?.();
    this.#endSilence = undefined;
  };

  #showTransfer({
    type,
    doneBytes,
    totalBytes,
  }: Extract<RunEvent, { type: "fetching" | "pushing" | "merging" }>): void {
    const now = this.#clock.now();
    const step = Math.floor((TRANSFER_STEPS * doneBytes) / Math.max(1, totalBytes));
    // Weights are fetched after small files, which were a transfer of their own.
    if (this.#transfer?.type !== type || step < this.#transfer.step) {
      // What is complete from the start is not told.
      if (doneBytes >= totalBytes) return;
      this.#transfer = { type, rate: new Transfer(type), shownAt: -Infinity, step };
    }
    const transfer = this.#transfer;
    if (now < transfer.shownAt + TRANSFER_PAUSE_MS && doneBytes < totalBytes) return;
    transfer.shownAt = now;
    const line = transfer.rate.line(doneBytes, totalBytes, now);
    this.#live(() => line);
    if (this.#text.isAlive || step <= transfer.step) return;
    transfer.step = step;
    this.line(line);
  }

  #isWorthALine(event: RunEvent): boolean {
    if (event.type !== "generation" || event.replayed) return true;
    if (Math.abs(event.spent - this.#spent) < GENERATION_STEP) return false;
    this.#spent = event.spent;
    return true;
  }

  #live(status: () => string): void {
    this.#status = status;
    if (this.#text.isAlive) this.#text.status(status());
  }

  /** From now on a silence is broken when it lasts too long. */
  #listen(): void {
    this.#endSilence?.();
    if (this.#text.isAlive) return;
    this.#endSilence = this.#clock.after(LONGEST_SILENCE_MS, () => this.line(this.#status()));
  }
}
