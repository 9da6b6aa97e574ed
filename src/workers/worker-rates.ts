/** What each worker has done of one scoring, and until when. */
export class WorkerRates {
  readonly #workers: number;
  readonly #done = new Map<string, { work: number; ms: number }>();

  /** Of so many workers. */
  constructor(workers: number) {
    this.#workers = workers;
  }

  /** So much of a worker's work was done so long after the scoring had begun. */
  add(worker: string, work: number, ms: number): void {
    const before = this.#done.get(worker)?.work ?? 0;
    this.#done.set(worker, { work: before + work, ms });
  }

  /** How many times faster the fastest was than the slowest; infinitely where one has done nothing. */
  get spread(): number {
    if (this.#done.size < this.#workers) return Infinity;
    const rates = Array.from(this.#done.values(), ({ work, ms }) => work / ms);
    return Math.max(...rates) / Math.min(...rates);
  }
}
