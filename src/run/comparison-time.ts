import { meanInterval } from "../statistics/paired-test.ts";
import type { Clock } from "./clock.ts";

/** Rows of the sample, and how many times as much a model on a row takes: its intervals, and tests of each task and of all. */
const SAMPLE = 40;
const TIMES = 5;

/** What intervals and tests of models on guard rows take, as this machine is now. */
export interface ComparisonTime {
  /** Once. */
  readonly onceMs: number;
  /** Of one model and row. */
  readonly rowMs: number;
}

/** Tries it on a sample; the first time, code is yet to be compiled. */
export function measureComparison({ now }: Clock): ComparisonTime {
  const losses = Array.from({ length: SAMPLE }, (_, i) => 1 + Math.sin(i));
  const groups = losses.map((_, i) => `${i}`);
  const began = now();
  meanInterval(losses, groups, { seed: 1 });
  const compiled = now();
  meanInterval(losses, groups, { seed: 1 });
  return { onceMs: 2 * (compiled - began), rowMs: (TIMES * (now() - compiled)) / SAMPLE };
}
