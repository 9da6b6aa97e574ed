/** What is scored: so many models, each over so many tokens, as layers compute them, in so many passes. */
export interface Work {
  readonly models: number;
  /** Of each model. */
  readonly tokens: number;
  /** How often the parents are read and every model is merged. */
  readonly passes: number;
}

/** Work and its wall-clock time, and how much of that was spent waiting for the parents' weights. */
export interface WorkTime extends Work {
  readonly ms: number;
  readonly waitMs: number;
}

/** How many times a part's time a pass may compute because the parents take so long to come, or to be merged. */
const MOST_LONGER = 10;
/** What else a machine does is noise of about so much; it says little of how fast a short scoring was. */
const NOISE_MS = 1000;

/** How many times slower than expected something was, of which noise may be a second. */
export function slownessOf(ms: number, expectedMs: number): number {
  return (Math.max(0, ms) + NOISE_MS) / (Math.max(0, expectedMs) + NOISE_MS);
}

/**
 * How long scoring takes, from what was scored before: a pass waits for the parents, and takes each model a time for its
 * merge and a time for every token. Both come from a least-squares fit (of relative errors, neither below zero) over all
 * that was seen; beside it stands how much slower than that the machine was, last and at its slowest moment.
 */
export class Pace {
  /** Sums of the weighted products of passes, tokens and milliseconds of one model. */
  readonly #sums = { pp: 0, pt: 0, tt: 0, pm: 0, tm: 0 };
  #fit = { passMs: 0, tokenMs: 0 };
  #seen = 0;
  /** Of one pass: the first of a process reads parents that stay on the device from then on. */
  #waits = { first: 0, last: 0, longest: 0 };
  #slowness = { last: 1, most: 1 };

  /** Whether anything was seen. */
  get isKnown(): boolean {
    return this.#seen > 0;
  }

  /** Milliseconds that work is expected to take as the machine is now; 0 where nothing was seen. */
  readonly expectedMs = (work: Work): number => this.#ms(work, this.#waits.last, this.#slowness.last);

  /** The same at the slowest moment so far, here or as another pace has seen the machine. */
  readonly slowestMs = (work: Work, slowness = 1): number =>
    this.#ms(work, this.#waits.longest, Math.max(slowness, this.#slowness.most));

  /** How many times slower than usual the machine was at last; 1 where nothing was seen. */
  get slowness(): number {
    return this.#slowness.last;
  }

  /** How many times slower than usual the machine was at its slowest moment so far; 1 where nothing was seen. */
  get mostSlowness(): number {
    return this.#slowness.most;
  }

  /**
   * Tokens of each of `models` that one pass computes in about `ms`, or in the time the parents take to come, since shorter
   * passes would wait for them, or behind the merges in the time that these take, since shorter ones would do little else. None
   * before anything was seen: whoever scores takes one batch at least.
   */
  tokensIn(ms: number, models: number): number {
    if (!this.isKnown) return 0;
    const { passMs, tokenMs } = this.#fit;
    const each = models * this.#slowness.last;
    const mergingMs = each * passMs;
    const longestMs = MOST_LONGER * ms;
    const waitMs = Math.max(this.#waits.first, this.#waits.longest);
    const wholeMs = Math.max(ms, Math.min(waitMs, longestMs));
    const computingMs = Math.max(wholeMs - mergingMs, Math.min(mergingMs, longestMs));
    return Math.floor(computingMs / Math.max(Number.MIN_VALUE, each * tokenMs));
  }

  /** Learns from what was scored. */
  learn({ ms, waitMs, ...work }: WorkTime): void {
    const { models, tokens, passes } = work;
    if (models * tokens * passes === 0) return;
    const computingMs = Math.max(0, ms - waitMs);
    this.#add(passes, tokens, computingMs / models);
    this.#seen += 1;
    this.#wait(waitMs / passes);
    this.#slow(work, computingMs);
  }

  /** Learns of what was given up after so long no more than how slow the machine is, unless there is nothing else to learn from. */
  gaveUp({ ms, ...work }: Work & Pick<WorkTime, "ms">): void {
    if (this.isKnown) this.#slow(work, ms - work.passes * this.#waits.last);
    else this.learn({ ...work, ms, waitMs: 0 });
  }

  #slow({ models, tokens, passes }: Work, computingMs: number): void {
    const { passMs, tokenMs } = this.#fit;
    const fitted = models * (passes * passMs + tokens * tokenMs);
    const last = slownessOf(computingMs, fitted);
    this.#slowness = { last, most: Math.max(this.#slowness.most, last) };
  }

  #ms({ models, tokens, passes }: Work, waitMs: number, slowness: number): number {
    const { passMs, tokenMs } = this.#fit;
    return passes * waitMs + slowness * models * (passes * passMs + tokens * tokenMs);
  }

  #wait(ms: number): void {
    const { first, longest } = this.#waits;
    const isFirst = this.#seen === 1;
    this.#waits = {
      first: isFirst ? ms : first,
      last: ms,
      longest: isFirst ? ms : this.#seen === 2 ? ms : Math.max(longest, ms),
    };
  }

  #add(passes: number, tokens: number, ms: number): void {
    const sums = this.#sums;
    const weight = 1 / Math.max(ms, 1e-3) ** 2;
    sums.pp += weight * passes * passes;
    sums.pt += weight * passes * tokens;
    sums.tt += weight * tokens * tokens;
    sums.pm += weight * passes * ms;
    sums.tm += weight * tokens * ms;
    this.#fit = fitOf(sums);
  }
}

/**
 * Least squares in two variables; all is put down to tokens where passes of one size, or slow moments among them, cannot
 * tell: then it promises no less than it takes.
 */
function fitOf({ pp, pt, tt, pm, tm }: Readonly<Record<"pp" | "pt" | "tt" | "pm" | "tm", number>>): {
  readonly passMs: number;
  readonly tokenMs: number;
} {
  const determinant = pp * tt - pt * pt;
  const onlyTokens = { passMs: 0, tokenMs: tm / tt };
  // Sizes that differ by less than a tenth tell noise from noise.
  if (determinant < 1e-3 * pp * tt) return onlyTokens;
  const passMs = (tt * pm - pt * tm) / determinant;
  const tokenMs = (pp * tm - pt * pm) / determinant;
  return passMs < 0 || tokenMs < 0 ? onlyTokens : { passMs, tokenMs };
}
