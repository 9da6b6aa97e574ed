/** Lines of a table that are printed as they are found, and kept as JSON: what is cut short has told what it knew. */
import { writeFile } from "node:fs/promises";
import type { Timing } from "./interleave.ts";

/** How long something took, and in how many runs that is the median. */
export interface RepeatedTiming extends Timing {
  readonly runs?: number;
}

/** What was found of one thing. */
export interface Found {
  readonly name: string;
  /** In `unit`; none where it failed. */
  readonly value?: number;
  readonly unit?: string;
  /** What that is a share of, or what else there is to know. */
  readonly notes?: readonly string[];
  readonly took?: RepeatedTiming;
  readonly error?: string;
}

export class Told {
  readonly #found: Found[] = [];
  readonly #file: string | undefined;
  readonly #began = performance.now();
  readonly #seconds: number;

  /** No part is begun once so many seconds are over. */
  constructor(seconds: number, file?: string) {
    this.#seconds = seconds;
    this.#file = file;
  }

  async tell(found: Found): Promise<void> {
    const { name, value, unit = "", notes = [], took, error } = found;
    this.#found.push(found);
    const cells = [
      this.#since().toFixed(0).padStart(4),
      name.padEnd(56),
      (value === undefined ? "" : figure(value)).padStart(9),
      unit.padEnd(11),
      (took ? `${figure(took.wall).padStart(7)} s wall ${figure(took.cpu).padStart(7)} s CPU` : "").padEnd(28),
      (took?.runs === undefined ? "" : `of ${took.runs}`).padEnd(4),
      error ?? notes.join("; "),
    ];
    console.log(cells.join("  ").trimEnd());
    if (this.#file !== undefined) await writeFile(this.#file, JSON.stringify(this.#found, null, 1));
  }

  /** Does a part; one that fails or comes too late says so, and the rest goes on. */
  async part(name: string, work: () => Promise<void>): Promise<void> {
    if (this.#since() > this.#seconds) return this.tell({ name, error: "left out: the time is over" });
    try {
      await work();
    } catch (error) {
      await this.tell({ name, error: error instanceof Error ? error.message : String(error) });
    }
  }

  #since(): number {
    return (performance.now() - this.#began) / 1e3;
  }
}

export function figure(value: number): string {
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

export function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}
