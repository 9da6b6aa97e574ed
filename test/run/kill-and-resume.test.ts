import { test } from "vitest";
import { killAndCompare, KILLS, timeoutFor } from "./kill-and-compare.ts";

test(
  `a run killed at ${KILLS} random moments and resumed leaves what an uninterrupted run leaves`,
  () => killAndCompare(KILLS, 20),
  timeoutFor(KILLS),
);
