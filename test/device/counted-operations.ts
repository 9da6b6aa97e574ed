import * as tf from "@tensorflow/tfjs-core";
import type { NativeBackend } from "../../src/device/tfjs/raw-tensorflow.ts";

/** How often each operation of TensorFlow is executed meanwhile, by its name, counted where the native binding is called. */
export async function countOperations(work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  const backend = tf.backend() as unknown as { binding: NativeBackend["binding"] };
  const { binding } = backend;
  const counts: Record<string, number> = {};
  const executeOp: typeof binding.executeOp = (op, ...others) => {
    counts[op] = (counts[op] ?? 0) + 1;
    return binding.executeOp(op, ...others);
  };
  // The binding's own functions cannot be replaced.
  backend.binding = Object.create(binding, { executeOp: { value: executeOp } }) as typeof binding;
  try {
    await work();
  } finally {
    backend.binding = binding;
  }
  return counts;
}
