/** Lines of lm_eval's output that are kept for an error. */
const KEPT = 200;
/** Lines of an error that are shown. */
const SHOWN = 6;
/** Longest line that is waited for; a stream without line breaks must not fill the memory. */
const LONGEST = 64 * 1024;
/** A progress bar has its percentage in its first characters; a search through a long line takes the square of its length. */
const BAR_BEGINS = 200;

/** Reads what lm_eval prints: its progress bars, which end in carriage returns, and its last words. */
export class OutputReader {
  readonly #onProgress: (share: number) => void;
  readonly #lines: string[] = [];
  #pending = "";

  /** `onProgress` is told the share of the requests that is done, whenever lm_eval tells it. */
  constructor(onProgress: (share: number) => void) {
    this.#onProgress = onProgress;
  }

  readonly read = (text: string): void => {
    const lines = (this.#pending + text).split(/[\r\n]+/);
    this.#pending = (lines.pop() ?? "").slice(-LONGEST);
    for (const line of lines) this.#take(line);
  };

  /** The last lines that say something: no bars and no log of what went well, unless there is nothing else. */
  lastWords(): string {
    const lines = [...this.#lines, this.#pending].filter((line) => line.trim() !== "");
    const telling = lines.filter((line) => !/ INFO /.test(line));
    return (telling.length > 0 ? telling : lines).slice(-SHOWN).join("\n");
  }

  #take(line: string): void {
    const bar = /^(?<title>.*?):? *(?<percent>\d+)%\|/.exec(line.slice(0, BAR_BEGINS))?.groups;
    if (!bar) {
      this.#lines.push(line);
      if (this.#lines.length > KEPT) this.#lines.shift();
    } else if (/^Running \w+ requests$/.test(bar["title"] ?? "")) {
      this.#onProgress(Number(bar["percent"]) / 100);
    }
  }
}
