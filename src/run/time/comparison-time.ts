import { meanInterval } from "../../statistics/paired-test.ts";
import type { Clock } from "./clock.ts";

/** Rows of the sample, and how many times as much a model on a row takes: its intervals, and tests of each task and of all. */
const SAMPLE = 40;
const TIMES = 6;
/** How often it is tried: code is compiled meanwhile, and compiled better, and other processes come between. */
const TRIES = 8;

/** What intervals and tests of models on guard rows take, as this machine is now. */
export interface ComparisonTime {
  /** Once. */
  readonly onceMs: number;
  /** Of one model and row. */
  readonly rowMs: number;
}

/** Tries it on a sample; the shortest time is that of compiled code. */
export function measureComparison({ now }: Clock): ComparisonTime {
  const losses = Array.from({ length: SAMPLE }, (_, i) => 1 + Math.sin(i));
  const groups = losses.map((_, i) => `${i}`);
  const began = now();
  const times = Array.from({ length: TRIES }, () => {
    const before = now();
    meanInterval(losses, groups, { seed: 1 });
    return now() - before;
  });
  return { onceMs: now() - began, rowMs: (TIMES * Math.min(...times)) / SAMPLE };
}
