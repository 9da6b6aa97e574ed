/**
 * A merge as a WebAssembly function: an expression of operations element by element becomes one loop over vectors, which does
 * what engines do in the same order, f32 and without fused operations, so that it gives their bits.
 */
import { type DeviceTensor, storedDtype } from "../device/device-tensor.ts";
import type { Expression } from "../device/expression.ts";
import type { Dtype } from "../tensor/dtype.ts";
import type { NamedModule } from "../tensor/wasm/instantiate.ts";
import { assemble, type Code, i32, increase, op, repeated, splat } from "../tensor/wasm/assembler.ts";
import {
  COLUMN,
  COUNT,
  ELEMENTS,
  END,
  FIRST,
  FOURFOLD,
  IN_COLUMNS,
  IN_ROWS,
  KernelWriter,
  ODD,
  ROW,
  TOP,
  TWICE,
} from "./kernel-code.ts";
import { type KernelMemory, planMemory } from "./kernel-memory.ts";

/** Groups of elements in one turn of the loop. */
const GROUPS = 2;

/** The bits of the least f32 that is infinite once it is rounded to a format; those of a NaN are more. */
const INFINITE: Readonly<Record<Dtype, number>> = { f32: 0x7f80_0000, bf16: 0x7f7f_8000, f16: 0x477f_f000 };

/** A function `run(first, count, column, row)`, which leaves 0 where all inputs and results are finite, and what it has in memory. */
export interface Kernel {
  readonly module: NamedModule;
  readonly memory: KernelMemory;
}

/** The kernel of an expression of inputs that are `leaves`, all of its shape. Merges by other numbers have the same module. */
export function kernelOf(expression: Expression, leaves: readonly DeviceTensor[]): Kernel {
  const memory = planMemory(expression, leaves);
  return { module: { name: memory.outline, assembled: () => moduleOf(expression, memory) }, memory };
}

function moduleOf(expression: Expression, memory: KernelMemory): Uint8Array<ArrayBuffer> {
  const writer = new KernelWriter(expression, memory);
  const turn = Array.from({ length: GROUPS }, (_, group) => writer.group(group)).flat();
  const more = [...op("local.get", TWICE), ...op("local.get", END), ...op("i32.lt_u")];
  const loop = repeated([...turn, ...advance(GROUPS * ELEMENTS), ...more]);
  const largest = [...op("local.get", TOP), ...splat(INFINITE[storedDtype(expression)]), ...op("i32x4.ge_u")];
  return assemble({
    parameters: ["i32", "i32", "i32", "i32"],
    result: "i32",
    locals: writer.locals,
    body: [
      ...START,
      ...writer.before,
      ...loop,
      ...largest,
      ...op("local.get", ODD),
      ...op("v128.or"),
      ...op("v128.any_true"),
    ],
  });
}

const START: Code = [
  ...shifted(FIRST, 1, TWICE),
  ...shifted(FIRST, 2, FOURFOLD),
  ...shifted(COLUMN, 2, IN_COLUMNS),
  ...shifted(ROW, 2, IN_ROWS),
  ...op("local.get", FIRST),
  ...op("local.get", COUNT),
  ...op("i32.add"),
  ...i32(1),
  ...op("i32.shl"),
  ...op("local.set", END),
];

function shifted(from: number, by: number, to: number): Code {
  return [...op("local.get", from), ...i32(by), ...op("i32.shl"), ...op("local.set", to)];
}

/** Moves on by so many elements. */
function advance(elements: number): Code {
  return [...increase(FOURFOLD, 4 * elements), ...increase(IN_COLUMNS, 4 * elements), ...increase(TWICE, 2 * elements)];
}
