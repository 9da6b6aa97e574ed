/** Forward passes over all search rows, or seconds of one core. */
export type Unit = "units" | "s";

/** What a search may spend. */
export interface Budget {
  readonly size: number;
  readonly unit: Unit;
}

/** What of a budget a search has spent: the work that it did, or the processor time that it took. */
export class Spending {
  /** The budget in forward passes over all search rows, as far as that is known beforehand. */
  readonly passes: number;
  readonly #budget: Budget;
  /** CPU seconds of such a pass. */
  readonly #pace: number;
  readonly #before = process.cpuUsage();
  #work = 0;

  constructor(budget: Budget, pace: number) {
    this.passes = budget.unit === "s" ? budget.size / pace : budget.size;
    this.#budget = budget;
    this.#pace = pace;
  }

  /** In forward passes. */
  get work(): number {
    return this.#work;
  }

  get cpuSeconds(): number {
    const { user, system } = process.cpuUsage(this.#before);
    return (user + system) / 1e6;
  }

  /** From 0 to 1. */
  get part(): number {
    const { size, unit } = this.#budget;
    return unit === "s" ? Math.min(1, this.cpuSeconds / size) : this.#work / size;
  }

  /** Whether there is room for so much more work, which takes as long as what was done took. */
  hasRoom(work: number): boolean {
    const { size, unit } = this.#budget;
    if (unit === "units") return this.#work + work <= size * (1 + 1e-9);
    const { cpuSeconds } = this;
    const pace = this.#work > 0 ? cpuSeconds / this.#work : this.#pace;
    return cpuSeconds + work * pace <= size;
  }

  add(work: number): void {
    this.#work += work;
  }
}
