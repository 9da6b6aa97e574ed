import { meanInterval } from "../statistics/paired-test.ts";
import type { Clock } from "./clock.ts";

/** Rows of the sample, and how many times as much a model on a row takes: its intervals, and tests of each task and of all. */
const SAMPLE = 40;
const TIMES = 6;
/** How often it is tried before it is timed: code is compiled meanwhile, and compiled better. */
const WARMING = 2;

/** What intervals and tests of models on guard rows take, as this machine is now. */
export interface ComparisonTime {
  /** Once. */
  readonly onceMs: number;
  /** Of one model and row. */
  readonly rowMs: number;
}

/** Tries it on a sample. */
export function measureComparison({ now }: Clock): ComparisonTime {
  const losses = Array.from({ length: SAMPLE }, (_, i) => 1 + Math.sin(i));
  const groups = losses.map((_, i) => `${i}`);
  const began = now();
  for (let time = 0; time < WARMING; time += 1) meanInterval(losses, groups, { seed: 1 });
  const compiled = now();
  meanInterval(losses, groups, { seed: 1 });
  return { onceMs: compiled - began, rowMs: (TIMES * (now() - compiled)) / SAMPLE };
}
