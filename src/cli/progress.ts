import { type Clock, systemClock } from "../run/time/clock.ts";
import type { RunEvent } from "../run/session/events.ts";
import { briefDuration, duration } from "../report/duration.ts";
import { LivingText } from "./output.ts";
import { PhaseTime } from "./phase-time.ts";
import { noticeLines } from "./plain-lines.ts";
import { type Status, statusLine } from "./status-line.ts";
import { Transfer } from "./transfer.ts";
import { WholeRun } from "./whole-run.ts";

/** Where no line can live, a transfer is told at these shares of its bytes. */
const TRANSFER_STEPS = 10;
/** Bytes arrive in far more pieces than anyone can read lines. */
const TRANSFER_PAUSE_MS = 100;
/** A line that lives tells the time that is left, which passes. */
const TICK_MS = 1000;
/** Where no line can live, no more time than this passes without a line. */
const LONGEST_SILENCE_MS = 30_000;

/** Of a search a line stays for so much of its budget. */
const GENERATION_STEP = 1 / 10;

/** What every command tells of. */
type PlainEvent = Extract<RunEvent, { type: "notice" | "fetching" | "pushing" | "merging" | "progress" }>;

type TransferEvent = Extract<RunEvent, { type: "fetching" | "pushing" | "merging" }>;

/**
 * Shows what goes on, on a stream: lines that stay and, on a terminal, a last line that lives; elsewhere that line from time to
 * time. What a run tells beside that is shown where `eventLines` are given, which know all of a search; from when it is opened the
 * last line is that of the whole run.
 */
export class Progress<Event extends RunEvent = PlainEvent> {
  readonly #linesOf: (event: Event, width: number) => readonly string[];
  readonly #text: LivingText;
  readonly #clock: Clock;
  #transfer: { readonly type: string; readonly rate: Transfer; shownAt: number; step: number } | undefined;
  #phase: PhaseTime | undefined;
  #run: WholeRun | undefined;
  /** How much of the search was spent at the last line on it. */
  #spent = -Infinity;
  /** The last line as it is now. */
  #status: () => Status;
  #stopWaiting: (() => void) | undefined;

  constructor(
    linesOf: (event: Event, width: number) => readonly string[] = noticeLines,
    text = new LivingText(),
    clock = systemClock,
  ) {
    this.#linesOf = linesOf;
    this.#text = text;
    this.#clock = clock;
    const began = clock.now();
    this.#status = () => ({
      parts: [
        { long: `preparing: looking at models and rows, ${duration(clock.now() - began)} so far`, short: "preparing" },
      ],
    });
    this.#wait();
  }

  /** Shows an event; `elapsedMs` is what the clock of its run shows. */
  readonly show = (event: Event, elapsedMs?: number): void => {
    if (!this.#stopWaiting) this.#wait();
    if (event.type === "fetching" || event.type === "pushing" || event.type === "merging")
      return this.#showTransfer(event);
    if (event.type === "opened") this.#run = new WholeRun(this.#clock);
    const run = this.#run;
    run?.told(event, elapsedMs);
    if (event.type === "progress") {
      if (run) this.#live(() => run.status());
      else this.reach(event.phase, event.share);
      return;
    }
    this.#text.status("");
    for (const line of this.#linesOf(event, this.#text.width)) this.line(line);
    if (run && (event.type === "opened" || (event.type === "generation" && !event.replayed))) {
      this.#live(() => run.status());
      if (event.type === "generation" && this.#isWorthALine(event)) this.#lineOfStatus();
    }
  };

  /** Shows that a share of a phase is done. */
  readonly reach = (phase: string, share: number): void => {
    if (!this.#stopWaiting) this.#wait();
    const now = this.#clock.now();
    if (this.#phase?.name !== phase || share < this.#phase.share) this.#phase = new PhaseTime(phase, share, now);
    const own = this.#phase;
    own.reach(share, now);
    this.#live(() => phaseStatus(own, this.#clock.now()));
  };

  /** Writes a line that stays. */
  readonly line = (line: string): void => {
    this.#text.line(line);
    this.#wait();
  };

  /** Removes the living line, and says no more until there is something to show. */
  readonly end = (): void => {
    this.#text.status("");
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
  };

  #showTransfer({ type, doneBytes, totalBytes }: TransferEvent): void {
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
    const status = transfer.rate.status(doneBytes, totalBytes, now);
    this.#live(() => status);
    if (this.#text.isAlive || step <= transfer.step) return;
    transfer.step = step;
    this.#lineOfStatus();
  }

  #isWorthALine({ spent }: Extract<RunEvent, { type: "generation" }>): boolean {
    if (Math.abs(spent - this.#spent) < GENERATION_STEP) return false;
    this.#spent = spent;
    return true;
  }

  #live(status: () => Status): void {
    this.#status = status;
    this.#draw();
  }

  #draw(): void {
    if (this.#text.isAlive) this.#text.status(statusLine(this.#status(), this.#text.width - 1, { hasBar: true }));
  }

  #lineOfStatus(): void {
    this.line(statusLine(this.#status(), this.#text.width));
  }

  /** From now on the line that lives is kept up to date, or else a silence is broken when it lasts too long. */
  #wait(): void {
    this.#stopWaiting?.();
    const isAlive = this.#text.isAlive;
    this.#stopWaiting = this.#clock.after(isAlive ? TICK_MS : LONGEST_SILENCE_MS, () => {
      if (!isAlive) return this.#lineOfStatus();
      this.#draw();
      this.#wait();
    });
  }
}

function phaseStatus(phase: PhaseTime, now: number): Status {
  const { name, share } = phase;
  const leftMs = phase.leftMs(now) ?? 0;
  const left = { long: `${duration(leftMs)} left`, short: briefDuration(leftMs) };
  return { share, parts: [{ long: name }, ...(leftMs < 500 ? [] : [left])] };
}
