/** Milliseconds that pass by work alone: pieces of it take the lane that is idle first, and where none is under way all lanes wait for the last. */
export class LaneClock {
  /** When each lane is idle. */
  readonly #idleAt: number[];
  #now = 0;
  #busyMs = 0;
  #underWay = 0;
  #waitedMs = 0;

  constructor(lanes: number) {
    this.#idleAt = Array.from({ length: lanes }, () => 0);
  }

  readonly now = (): number => this.#now;

  /** What lanes have worked, all of them together. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /** What passed while something was awaited that no lane works on. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /** Begins what takes so long. */
  begin(ms: number): void {
    this.#busyMs += ms;
    this.#underWay += 1;
    const first = Math.min(...this.#idleAt);
    this.#idleAt[this.#idleAt.indexOf(first)] = Math.max(first, this.#now) + ms;
  }

  /** Something that was begun is over. */
  end(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#now = Math.max(this.#now, ...this.#idleAt);
  }

  /** Nothing else goes on until then. */
  waitUntil(time: number): void {
    this.#waitedMs += Math.max(0, time - this.#now);
    this.#now = Math.max(this.#now, time);
  }
}
