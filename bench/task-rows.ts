/** Rows as long as those of two tasks, of random tokens: no row of anybody's data is needed to measure speed. */
import type { Prompt } from "../src/evaluate/pack.ts";
import { RandomStream } from "../src/tensor/random.ts";

/** Rows of one shape: tokens of contexts and of each continuation, as the 5th, 15th, ... 95th of a hundred rows has them. */
interface Lengths {
  readonly rows: number;
  readonly continuations: number;
  readonly context: readonly number[];
  readonly continuation: readonly number[];
}

/** Of 500 rows of CosmosQA, of which 200 are answered by letters, and 200 of XSum, by the tokenizer of SmolLM2. */
const tasks: readonly Lengths[] = [
  {
    rows: 200,
    continuations: 4,
    context: [115, 126, 134, 144, 152, 161, 169, 178, 196, 224],
    continuation: [1],
  },
  {
    rows: 300,
    continuations: 4,
    context: [79, 90, 109, 117, 128, 139, 149, 158, 166, 184],
    continuation: [5, 6, 6, 7, 8, 9, 10, 12, 14, 19],
  },
  {
    rows: 200,
    continuations: 1,
    context: [90, 141, 247, 290, 338, 379, 453, 590, 769, 1342],
    continuation: [17, 21, 22, 24, 26, 27, 29, 30, 32, 38],
  },
];

export const TASK_ROWS = tasks.reduce((sum, { rows }) => sum + rows, 0);

/** Such a share of 500 rows of four choices and 200 summaries, each kind with its share. */
export function taskRows(fraction: number, vocabulary: number): Prompt[] {
  const stream = RandomStream.of(1, "rows");
  const ids = (length: number): Int32Array => Int32Array.from({ length }, () => stream.integer(vocabulary));
  let answers = 0;
  return tasks.flatMap(({ rows, continuations, context, continuation }) =>
    Array.from({ length: Math.max(1, Math.round(rows * fraction)) }, (_, i) => ({
      context: ids(context[i % context.length]!),
      // Steps of three meet all lengths, and none with the same context alone.
      continuations: Array.from({ length: continuations }, () =>
        ids(continuation[(3 * answers++) % continuation.length]!),
      ),
    })),
  );
}
