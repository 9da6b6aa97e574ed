/**
 * A merge as a WebAssembly function: an expression of operations element by element becomes one loop over vectors, which does
 * what engines do in the same order, f32 and without fused operations, so that it gives their bits.
 */
import { type DeviceTensor, storedDtype } from "../device/device-tensor.ts";
import type { Expression } from "../device/expression.ts";
import { bytesPerElement, type Dtype } from "../tensor/dtype.ts";
import {
  assemble,
  at,
  type Code,
  i32,
  increase,
  type Instruction,
  op,
  repeated,
  splat,
} from "../tensor/wasm/assembler.ts";
import { loadLanes, roundLanes, type Scratch, storeLanes } from "../tensor/wasm/lanes.ts";
import { type KernelMemory, planMemory } from "./kernel-memory.ts";

/** Vectors of four elements in one turn of the loop. */
const VECTORS = 4;
const LANES = 4;

/** Parameters: the first element in the piece, how many, and the column of the first. */
const [FIRST, COUNT, COLUMN] = [0, 1, 2];
/** Twice and four times the element, four times the column, and twice the end. */
const [TWICE, FOURFOLD, ROW, END] = [3, 4, 5, 6];
/** Other than 0 where an input or a result was not finite. */
const ODD = 7;
const SCRATCH: Scratch = [8, 9];
const NEXT_LOCAL = 10;

const arithmetic = {
  add: "f32x4.add",
  sub: "f32x4.sub",
  mul: "f32x4.mul",
  div: "f32x4.div",
} as const satisfies Partial<Record<Expression["op"], Instruction>>;

/** The bits of 1. */
const ONE = 0x3f80_0000;

/** The bits of the least f32 that is infinite once it is rounded to a format. */
const INFINITE: Readonly<Record<Dtype, number>> = { f32: 0x7f80_0000, bf16: 0x7f7f_8000, f16: 0x477f_f000 };

/** A function `run(first, count, column)`, which leaves 0 where all inputs and results are finite, and what it has in memory. */
export interface Kernel {
  readonly module: Uint8Array<ArrayBuffer>;
  readonly memory: KernelMemory;
}

/** The kernel of an expression of inputs that are `leaves`, all of its shape. Merges by other numbers have the same module. */
export function kernelOf(expression: Expression, leaves: readonly DeviceTensor[]): Kernel {
  const memory = planMemory(expression, leaves);
  const locals = new Map<Expression | number, number>();
  const localOf = (x: Expression | number): number => {
    const local = locals.get(x) ?? NEXT_LOCAL + locals.size;
    locals.set(x, local);
    return local;
  };
  const load = Array.from(memory.numbers.values(), (address) => [
    ...i32(0),
    ...at("v128.load32_splat", address),
    ...op("local.set", localOf(address)),
  ]);
  const turn = Array.from({ length: VECTORS }, (_, i) => writeVector(expression, { memory, localOf, vector: i }));
  const next = advance(VECTORS * LANES);
  const body = [...START, ...load.flat(), ...repeated([...turn.flat(), ...next]), ...op("local.get", ODD)];
  const module = assemble({
    parameters: ["i32", "i32", "i32"],
    result: "i32",
    locals: [...Array<"i32">(4).fill("i32"), ...Array<"v128">(NEXT_LOCAL - ODD + locals.size).fill("v128")],
    body: [...body, ...op("v128.any_true")],
  });
  return { module, memory };
}

const START: Code = [
  ...shifted(FIRST, 1, TWICE),
  ...shifted(FIRST, 2, FOURFOLD),
  ...shifted(COLUMN, 2, ROW),
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

/** Moves on by so many elements; leaves whether there are more. */
function advance(elements: number): Code {
  const moved = [...increase(FOURFOLD, 4 * elements), ...increase(ROW, 4 * elements), ...increase(TWICE, 2 * elements)];
  return [...moved, ...op("local.get", TWICE), ...op("local.get", END), ...op("i32.lt_u")];
}

/** One of the vectors of a turn. */
interface Place {
  readonly memory: KernelMemory;
  /** The local of a node's result, or of the number at an address. */
  readonly localOf: (x: Expression | number) => number;
  readonly vector: number;
}

function writeVector(expression: Expression, place: Place): Code {
  const dtype = storedDtype(expression);
  const size = bytesPerElement[dtype];
  const result = expression.op === "cast" ? expression.x : expression;
  const [value] = SCRATCH;
  const values = [
    ...new VectorWriter(place).valueOf(result),
    ...op("local.tee", value),
    ...op("local.get", value),
    ...op("f32x4.abs"),
    ...splat(INFINITE[dtype]),
    // False of a NaN, too.
    ...op("f32x4.lt"),
    ...op("v128.not"),
    ...op("local.get", ODD),
    ...op("v128.or"),
    ...op("local.set", ODD),
  ];
  return storeLanes[dtype](addressOf(size), place.memory.output + place.vector * LANES * size, values, SCRATCH);
}

function addressOf(size: number): Code {
  return op("local.get", size === 4 ? FOURFOLD : TWICE);
}

class VectorWriter {
  readonly #place: Place;
  /** Nodes whose vector is in their local. */
  readonly #done = new Set<Expression>();

  constructor(place: Place) {
    this.#place = place;
  }

  /** Leaves the vector of a node on the stack; that of a node which is used again in its local, too. */
  valueOf(x: Expression): Code {
    const { memory, localOf } = this.#place;
    if (this.#done.has(x)) return op("local.get", localOf(x));
    const code = this.#compute(x);
    if (!memory.isShared(x) || x.op === "constant") return code;
    this.#done.add(x);
    return [...code, ...op("local.tee", localOf(x))];
  }

  #compute(x: Expression): Code {
    const { memory, vector } = this.#place;
    switch (x.op) {
      case "input":
        return this.#load(x.tensor);
      case "constant":
        return memory.numbers.has(x)
          ? this.#number(x)
          : [...op("local.get", ROW), ...at("v128.load", memory.rowOf(x) + vector * 4 * LANES)];
      case "cast":
        return [...this.valueOf(x.x), ...roundLanes[storedDtype(x)](SCRATCH)];
      case "scale":
        return [...this.valueOf(x.x), ...this.#number(x), ...op("f32x4.mul")];
      case "abs":
        return [...this.valueOf(x.x), ...op("f32x4.abs")];
      case "step":
        return [...this.valueOf(x.x), ...splat(0), ...op("f32x4.gt"), ...splat(ONE), ...op("v128.and")];
      case "add":
      case "sub":
      case "mul":
      case "div":
        return [...this.valueOf(x.x), ...this.valueOf(x.y), ...op(arithmetic[x.op])];
      default:
        throw new Error(`merge: ${x.op} is not computed element by element`);
    }
  }

  #number(x: Expression): Code {
    const { memory, localOf } = this.#place;
    return op("local.get", localOf(memory.numberOf(x)));
  }

  /** Whether one is not finite is remembered: then x - x is NaN, else it is 0. */
  #load(tensor: DeviceTensor): Code {
    const { memory, vector } = this.#place;
    const dtype = storedDtype(tensor);
    const size = bytesPerElement[dtype];
    const value = op("local.get", SCRATCH[0]);
    return [
      ...loadLanes[dtype](addressOf(size), memory.inputOf(tensor) + vector * LANES * size, SCRATCH),
      ...op("local.tee", SCRATCH[0]),
      ...value,
      ...value,
      ...op("f32x4.sub"),
      ...op("local.get", ODD),
      ...op("v128.or"),
      ...op("local.set", ODD),
    ];
  }
}
