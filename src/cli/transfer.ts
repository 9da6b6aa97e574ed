import { bytesText } from "../files/bytes-text.ts";
import { briefDuration, duration } from "../report/duration.ts";
import type { Status } from "./status-line.ts";

/** The rate is measured over this long, so that a stall shows soon and a burst does not. */
const WINDOW_MS = 10_000;

/** A transfer: bytes, rate and the time left at that rate. */
export class Transfer {
  readonly #what: string;
  readonly #samples: { readonly at: number; readonly bytes: number }[] = [];

  /** `what` it is called: fetching, merging or pushing. */
  constructor(what: string) {
    this.#what = what;
  }

  /** As it is after `doneBytes` of `totalBytes`; `now` in milliseconds. */
  status(doneBytes: number, totalBytes: number, now: number): Status {
    const rate = this.#bytesPerSecond(doneBytes, now);
    const leftMs = (1000 * (totalBytes - doneBytes)) / rate;
    return {
      share: totalBytes === 0 ? 1 : doneBytes / totalBytes,
      parts: [
        { long: `${this.#what} ${bytesText(doneBytes)} of ${bytesText(totalBytes)}`, short: this.#what },
        { long: `${bytesText(rate)}/s` },
        ...(rate > 0 ? [{ long: `${duration(leftMs)} left`, short: briefDuration(leftMs) }] : []),
      ],
    };
  }

  #bytesPerSecond(bytes: number, now: number): number {
    const samples = this.#samples;
    samples.push({ at: now, bytes });
    while (samples.length > 2 && (samples[0]?.at ?? now) < now - WINDOW_MS) samples.shift();
    const [first = { at: now, bytes }] = samples;
    return now > first.at ? (1000 * (bytes - first.bytes)) / (now - first.at) : 0;
  }
}
