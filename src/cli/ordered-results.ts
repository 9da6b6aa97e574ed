/** Results that come in any order and are told in theirs: each as soon as those before it are there. */
export class OrderedResults<T> {
  readonly #count: number;
  readonly #tell: (index: number, result: T) => void;
  /** Those that wait for others, by number. */
  readonly #waiting = new Map<number, { readonly result: T }>();
  #next = 0;
  #told = 0;

  constructor(count: number, tell: (index: number, result: T) => void) {
    this.#count = count;
    this.#tell = tell;
  }

  readonly add = (index: number, result: T): void => {
    this.#waiting.set(index, { result });
    for (; this.#waiting.has(this.#next); this.#next += 1) this.#take(this.#next);
  };

  /** Tells those that wait for others that do not come, and returns how many are missing. */
  end(): number {
    for (const index of [...this.#waiting.keys()].toSorted((a, b) => a - b)) this.#take(index);
    return this.#count - this.#told;
  }

  #take(index: number): void {
    const found = this.#waiting.get(index);
    if (!found) return;
    this.#tell(index, found.result);
    this.#waiting.delete(index);
    this.#told += 1;
  }
}
