/** Lines of lm_eval's output that are kept for an error. */
const KEPT = 200;
/** Longest error that is quoted, in characters. */
const QUOTED = 300;
/** Longest line that is waited for; a stream without line breaks must not fill the memory. */
const LONGEST = 64 * 1024;
/** A progress bar has its percentage in its first characters; a search through a long line takes the square of its length. */
const BAR_BEGINS = 200;

/** Reads what lm_eval prints: its progress bars, which end in carriage returns, and what went wrong. */
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

  /** The last lines, bars left out. */
  get end(): string {
    return [...this.#lines, this.#pending].filter((line) => line.trim() !== "").join("\n");
  }

  /** The line that says what went wrong: Python's last exception, else the last one that is no log of what went well. */
  get fault(): string {
    const lines = this.end.split("\n");
    const fault =
      lines.findLast((line) => /^[\w.]+(?:Error|Exception|Exit|Enabled)\b/.test(line)) ??
      lines.findLast((line) => !/ INFO /.test(line)) ??
      lines.at(-1);
    const text = fault?.trim() ?? "";
    return text.length > QUOTED ? `${text.slice(0, QUOTED)}...` : text;
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
