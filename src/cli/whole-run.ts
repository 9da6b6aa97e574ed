import { briefDuration, duration } from "../report/duration.ts";
import type { Clock } from "../run/time/clock.ts";
import type { RunEvent } from "../run/session/events.ts";
import { PhaseTime } from "./phase-time.ts";
import type { Status, StatusPart } from "./status-line.ts";

type Told<Type extends RunEvent["type"]> = Extract<RunEvent, { readonly type: Type }>;
type RunPhaseName = Told<"progress">["phase"];

/** What a phase is called; the search is told by its generations. */
const PHASES: Readonly<Record<RunPhaseName, StatusPart>> = {
  rows: { long: "reading rows", short: "rows" },
  forecast: { long: "first rows" },
  score: { long: "score" },
  baselines: { long: "baselines" },
  search: { long: "search" },
  finalists: { long: "finalists" },
  guard: { long: "guard rows", short: "guard" },
  texts: { long: "texts" },
  export: { long: "export" },
};

/** A run that goes on is not told to be over. */
const MOST_SHARE = 0.999;

/**
 * How far a run has come as a whole, from what it tells. Its share is that of its time: what is over of that and of what is
 * expected to be left, which under a budget of time is what the budget has left, as the search goes on until then.
 */
export class WholeRun {
  readonly #clock: Clock;
  /** What the run's clock showed when it was last told. */
  #elapsed = { ms: 0, at: 0 };
  /** What was left of the run then. */
  #left: { readonly ms: number; readonly at: number } | undefined;
  /** Of the search and of all behind it, as it was expected. */
  #searchMs = 0;
  #finishMs = 0;
  /** Whether its budget is one of time. */
  #isTimed = false;
  #phase: RunPhaseName | undefined;
  #phaseTime: PhaseTime | undefined;
  #generation: Told<"generation"> | undefined;
  /** From where on the rate of a search under a budget of evaluations is taken. */
  #from: { readonly spent: number; readonly ms: number } | undefined;
  #isOver = false;
  #shown = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#elapsed = { ms: 0, at: clock.now() };
  }

  /** Told what happened, in order; `elapsedMs` is what the run's clock shows, while it runs. */
  told(event: RunEvent, elapsedMs?: number): void {
    if (elapsedMs !== undefined) this.#elapsed = { ms: elapsedMs, at: this.#clock.now() };
    switch (event.type) {
      case "forecast":
        return this.#forecast(event);
      case "baselines":
        // What was scored has told what comes behind it.
        return this.#isTimed || this.#phase === "baselines" ? undefined : this.#expect(this.#searchMs + this.#finishMs);
      case "planned":
        return this.#planned();
      case "generation":
        return this.#generationOver(event);
      case "stopped":
        return this.#expect(this.#finishMs, this.#left?.ms);
      case "progress":
        return this.#progress(event);
      case "exported":
        this.#isOver = true;
    }
  }

  /** As it is now. Its share never falls, other than for another budget. */
  status(): Status {
    const now = this.#clock.now();
    const leftMs = this.#leftMs(now);
    const elapsedMs = this.#elapsed.ms + now - this.#elapsed.at;
    const share = leftMs === undefined || elapsedMs <= 0 ? 0 : elapsedMs / (elapsedMs + leftMs);
    this.#shown = this.#isOver ? 1 : Math.max(this.#shown, Math.min(MOST_SHARE, share));
    return {
      share: this.#shown,
      parts: [
        this.#phasePart(),
        ...this.#lossParts(),
        ...(leftMs === undefined || leftMs < 500
          ? []
          : [{ long: `${duration(leftMs)} left`, short: briefDuration(leftMs) }]),
      ],
    };
  }

  #forecast({ baselinesMs, generationMs, generations, finishMs }: Told<"forecast">): void {
    this.#finishMs = finishMs;
    this.#searchMs = generations * generationMs;
    if (!this.#isTimed) this.#expect(baselinesMs + this.#searchMs + finishMs);
  }

  /** A second plan is that of another budget, of which less may be over. */
  #planned(): void {
    if (this.#from) {
      this.#shown = 0;
      this.#left = undefined;
    }
    this.#phase = "search";
    this.#from = { spent: 0, ms: this.#elapsed.ms };
  }

  #generationOver(event: Told<"generation">): void {
    this.#generation = event;
    const { spent, replayed, elapsedMs } = event;
    if (this.#isTimed) return;
    if (replayed || !this.#from) {
      this.#from = { spent, ms: this.#elapsed.ms };
      return;
    }
    const rate = (spent - this.#from.spent) / (elapsedMs - this.#from.ms);
    if (rate > 0) this.#expect((1 - spent) / rate + this.#finishMs);
  }

  #progress({ phase, share, leftMs, afterMs }: Told<"progress">): void {
    this.#phase = phase;
    this.#isTimed ||= leftMs !== undefined;
    if (phase === "search" || (afterMs === undefined && phase !== "export")) {
      if (afterMs !== undefined) this.#finishMs = afterMs;
      // The search goes on until the budget has to end, or else its generations tell how long.
      if (leftMs !== undefined) this.#expect(leftMs);
      return;
    }
    const now = this.#clock.now();
    const after = afterMs ?? 0;
    if (this.#phaseTime?.name !== phase || share < this.#phaseTime.share)
      this.#phaseTime = new PhaseTime(phase, share, now);
    this.#phaseTime.reach(share, now);
    const wholeMs = phase === "baselines" ? this.#leftMs(now) : this.#finishMs;
    const ownMs = this.#phaseTime.leftMs(now) ?? Math.max(0, (wholeMs ?? after) - after);
    // What a phase took is no part of what is expected of the next.
    if (share === 1 && phase !== "baselines") this.#finishMs = after;
    this.#expect(ownMs + after, leftMs);
  }

  #leftMs(now: number): number | undefined {
    return this.#left && Math.max(0, this.#left.ms - (now - this.#left.at));
  }

  /** So much is left from now on, though no more than of the budget. */
  #expect(ms: number, budgetMs = Infinity): void {
    this.#left = { ms: Math.min(ms, budgetMs), at: this.#clock.now() };
  }

  #phasePart(): StatusPart {
    if (this.#phase !== "search") return this.#phase ? PHASES[this.#phase] : { long: "opening" };
    if (!this.#generation) return PHASES.search;
    const count = this.#generation.generation + 1;
    return { long: count === 1 ? "1 generation" : `${count} generations`, short: `${count} gen` };
  }

  #lossParts(): StatusPart[] {
    if (!this.#generation) return [];
    const { baseline, overall } = this.#generation;
    const course = `${baseline.toFixed(3)} -> ${overall.toFixed(3)}`;
    return [{ long: `loss ${course}`, short: course }];
  }
}
