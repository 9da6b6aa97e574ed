import { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import type { SlicePace } from "./pace.ts";

/** `count` rows (outermost indices) of an f32 tensor from `begin`, as a tensor of its own. */
export function rowsOf(x: tf.Tensor, begin: number, count: number): tf.Tensor {
  const backend = tf.backend();
  if (!(backend instanceof BackendWasm)) return tf.slice(x, begin, count);
  // tf.slice copies all of x out of the wasm heap for each slice: taking 32 heads apart costs more than multiplying them.
  const shape = [count, ...x.shape.slice(1)];
  const width = x.size / (x.shape[0] ?? 1);
  const values = backend.readSync(x.dataId, begin * width, (begin + count) * width) as Float32Array;
  return tf.tensor(values, shape, "float32");
}

/** Rows of a matrix, each by its number, as a tensor of their own. */
export function takeRows(table: tf.Tensor, rows: tf.Tensor): tf.Tensor {
  const backend = tf.backend();
  if (!(backend instanceof BackendWasm)) return tf.gather(table, rows);
  // tf.gather finds the place of each element anew, which takes five times as long.
  const [, width = 0] = table.shape;
  const wanted = rows.dataSync<"int32">();
  const values = new Float32Array(wanted.length * width);
  for (const [i, row] of wanted.entries())
    values.set(backend.readSync(table.dataId, row * width, (row + 1) * width) as Float32Array, i * width);
  return tf.tensor(values, [wanted.length, width], "float32");
}

/** Joins compute(rows of x) along the rows, in blocks that fill a slice given the cost of a row; timers run before each. */
export async function byRows<T extends tf.Tensor>(
  x: tf.Tensor,
  flopPerRow: number,
  compute: (rows: tf.Tensor, begin: number) => T,
  pace: SlicePace,
  isDivisible = true,
): Promise<T> {
  const [rows = 0] = x.shape;
  const rowsPerBlock = Math.max(1, Math.floor(pace.sliceFlop / flopPerRow));
  if (rows <= rowsPerBlock || !isDivisible) return tf.tidy(() => compute(x, 0));
  const blocks: T[] = [];
  try {
    for (let begin = 0; begin < rows; begin += rowsPerBlock) {
      await pace.pause();
      const count = Math.min(rowsPerBlock, rows - begin);
      blocks.push(tf.tidy(() => compute(rowsOf(x, begin, count), begin)));
    }
    return tf.concat(blocks);
  } finally {
    tf.dispose(blocks);
  }
}
