/** What a kernel computes of groups of elements, as instructions. */
import { storedDtype } from "../device/device-tensor.ts";
import type { Expression, Node } from "../device/expression.ts";
import { bytesPerElement, type Dtype } from "../tensor/dtype.ts";
import { at, type Code, i32, type Instruction, op, splat, type ValueType } from "../tensor/wasm/assembler.ts";
import { roundLanes } from "../tensor/wasm/lanes.ts";
import { loadPairs, type Pair, storePairs } from "../tensor/wasm/pairs.ts";
import type { KernelMemory } from "./kernel-memory.ts";
import { complementStepOf, negatedOf, numberInCode, signStepOf } from "./kernel-shortcuts.ts";
import { shownInputs } from "./shown-inputs.ts";

/** Elements of a group: those at even places are one vector, those at odd places another. */
export const ELEMENTS = 8;
const halves = [0, 1] as const;
type Half = (typeof halves)[number];

/** The parameters: the first element in the piece, how many, the column of the first, and the row that all are in. */
export const [FIRST, COUNT, COLUMN, ROW] = [0, 1, 2, 3] as const;
/** Twice and four times the element, four times the column and the row, and twice the end. */
export const [TWICE, FOURFOLD, IN_COLUMNS, IN_ROWS, END] = [4, 5, 6, 7, 8] as const;
/** The largest bits of results without their sign; other than 0 where an input is not finite that no result shows. */
export const [TOP, ODD] = [9, 10] as const;
const SCRATCH: Pair = [11, 12];
const RESULT: Pair = [13, 14];
const NEXT_LOCAL = 15;

const arithmetic = {
  add: "f32x4.add",
  sub: "f32x4.sub",
  mul: "f32x4.mul",
  div: "f32x4.div",
} as const satisfies Partial<Record<Expression["op"], Instruction>>;

/** The bits of 1. */
const ONE = 0x3f80_0000;
const SIGN = 0x8000_0000;
const WITHOUT_SIGN = 0x7fff_ffff;

/** Writes the code of one expression, group by group. */
export class KernelWriter {
  readonly #expression: Expression;
  readonly #memory: KernelMemory;
  readonly #shown: ReadonlySet<Expression>;
  /** The first local of what has one: nodes, and numbers by their address or `bits`. */
  readonly #locals = new Map<Expression | number | string, number>();
  #count = NEXT_LOCAL;
  readonly #before: Code[] = [];
  /** What is in its locals: pairs of the group, and nodes of the half. */
  #loaded = new Set<Expression>();
  #done = new Set<Expression>();

  constructor(expression: Expression, memory: KernelMemory) {
    this.#expression = expression;
    this.#memory = memory;
    this.#shown = shownInputs(expression);
  }

  /** Behind the parameters. */
  get locals(): readonly ValueType[] {
    return [...Array<"i32">(TOP - TWICE).fill("i32"), ...Array<"v128">(this.#count - TOP).fill("v128")];
  }

  /** What fills locals once, in front of the loop, for the groups that were written. */
  get before(): Code {
    return this.#before.flat();
  }

  /** Computes a group, so many behind the place of the locals, remembers whether it is finite, and stores it. */
  group(index: number): Code {
    this.#loaded = new Set();
    const { op: last } = this.#expression;
    const dtype = storedDtype(this.#expression);
    const size = bytesPerElement[dtype];
    const result = last === "cast" ? this.#expression.x : this.#expression;
    const computed = halves.flatMap((half) => {
      this.#done = new Set();
      return [...this.#valueOf(result, { index, half }), ...op("local.set", RESULT[half])];
    });
    const largest = halves.flatMap((half) => [
      ...op("local.get", RESULT[half]),
      ...this.#splat(WITHOUT_SIGN),
      ...op("v128.and"),
      ...op("local.get", TOP),
      ...op("i32x4.max_u"),
      ...op("local.set", TOP),
    ]);
    const address = this.#memory.output + index * ELEMENTS * size;
    return [...computed, ...largest, ...storePairs[dtype](placeOf(dtype), address, RESULT, this.#splat, SCRATCH)];
  }

  /** Leaves the vector of a node on the stack; that of a node which is used again in its local, too. */
  #valueOf(x: Expression, place: Place): Code {
    if (signStepOf(x)) return [...this.#signs(x, place), ...this.#splat(ONE), ...op("v128.or")];
    if (x.op === "input" || x.op === "constant") return this.#compute(x, place);
    return this.#kept(x, () => this.#compute(x, place));
  }

  /** Leaves the sign bits alone of what is 1 or -1. */
  #signs(x: Expression, place: Place): Code {
    const sign = signStepOf(x);
    if (!sign) throw new Error("merge: signs of what is neither 1 nor -1");
    return this.#kept(x, () => [...this.#isPositive(sign, place), ...this.#splat(SIGN), ...op("v128.and")]);
  }

  #kept(x: Expression, compute: () => Code): Code {
    if (!this.#memory.isShared(x)) return compute();
    const local = this.#localsOf(x, 1);
    if (this.#done.has(x)) return op("local.get", local);
    this.#done.add(x);
    return [...compute(), ...op("local.tee", local)];
  }

  #compute(x: Expression, place: Place): Code {
    switch (x.op) {
      case "input":
        return this.#input(x, place);
      case "constant":
        if (x.values.length === 1) return this.#number(x);
        return this.#memory.isOfRows(x) ? this.#numberOfRow(x) : this.#columns(x, place);
      case "cast":
        return [...this.#valueOf(x.x, place), ...roundLanes[storedDtype(x)](SCRATCH)];
      case "scale":
        if (numberInCode(x) === 1) return this.#valueOf(x.x, place);
        return [...this.#valueOf(x.x, place), ...this.#number(x), ...op("f32x4.mul")];
      case "abs":
        // A mask in a register is one instruction; that of `f32x4.abs` is made anew each time.
        return [...this.#valueOf(x.x, place), ...this.#splat(WITHOUT_SIGN), ...op("v128.and")];
      case "step":
        return [...this.#isPositive(x.x, place), ...this.#splat(ONE), ...op("v128.and")];
      case "add":
      case "sub":
      case "mul":
      case "div":
        return (
          this.#shortcut(x, place) ?? [
            ...this.#valueOf(x.x, place),
            ...this.#valueOf(x.y, place),
            ...op(arithmetic[x.op]),
          ]
        );
      default:
        throw new Error(`merge: ${x.op} is not computed element by element`);
    }
  }

  /** The same bits by fewer instructions: what is multiplied by 1 or -1 has its sign at most changed. */
  #shortcut(x: Expression, place: Place): Code | undefined {
    const complement = complementStepOf(x);
    if (complement) return [...this.#splat(ONE), ...this.#isPositive(complement, place), ...op("v128.andnot")];
    if (x.op !== "mul" || !signStepOf(x.y)) return undefined;
    return [...this.#valueOf(x.x, place), ...this.#signs(x.y, place), ...op("v128.xor")];
  }

  /** Leaves which lanes are above 0: x - y is where x > y, as numbers below the normal ones are kept. */
  #isPositive(x: Expression, place: Place): Code {
    const negated = negatedOf(x);
    if (negated) return [...this.#valueOf(negated, place), ...this.#splat(0), ...op("f32x4.lt")];
    const compared =
      x.op === "sub" && !this.#memory.isShared(x)
        ? [...this.#valueOf(x.x, place), ...this.#valueOf(x.y, place)]
        : [...this.#valueOf(x, place), ...this.#splat(0)];
    return [...compared, ...op("f32x4.gt")];
  }

  #number(x: Expression): Code {
    const inCode = numberInCode(x);
    if (inCode !== undefined) return this.#splat(bitsOf(inCode));
    const address = this.#memory.numberOf(x);
    return this.#once(address, [...i32(0), ...at("v128.load32_splat", address)]);
  }

  #numberOfRow(x: Node<"constant">): Code {
    const address = this.#memory.numbersOf(x);
    return this.#once(address, [...op("local.get", IN_ROWS), ...at("v128.load32_splat", address)]);
  }

  readonly #splat = (bits: number): Code => this.#once(`bits ${bits}`, splat(bits));

  /** What is the same in all groups is computed in front of the loop. */
  #once(key: number | string, code: Code): Code {
    const isNew = !this.#locals.has(key);
    const local = this.#localsOf(key, 1);
    if (isNew) this.#before.push([...code, ...op("local.set", local)]);
    return op("local.get", local);
  }

  #columns(x: Node<"constant">, { index, half }: Place): Code {
    const address = this.#memory.numbersOf(x) + index * ELEMENTS * 4;
    const [loading, locals] = this.#pair(x, (own) =>
      loadPairs.f32(op("local.get", IN_COLUMNS), address, own, this.#splat, SCRATCH[0]),
    );
    return [...loading, ...op("local.get", locals[half])];
  }

  /** An input that is not finite, where no result shows it, is remembered: then x - x is NaN, else it is 0. */
  #input(x: Node<"input">, { index, half }: Place): Code {
    const dtype = storedDtype(x.tensor);
    const address = this.#memory.inputOf(x.tensor) + index * ELEMENTS * bytesPerElement[dtype];
    const [loading, locals] = this.#pair(x, (own) => [
      ...loadPairs[dtype](placeOf(dtype), address, own, this.#splat, SCRATCH[0]),
      ...(this.#shown.has(x) ? [] : own.flatMap(rememberOdd)),
    ]);
    return [...loading, ...op("local.get", locals[half])];
  }

  /** The locals of a pair, and the code that fills them where the group has none yet. */
  #pair(x: Expression, load: (locals: Pair) => Code): readonly [Code, Pair] {
    const first = this.#localsOf(x, 2);
    const locals: Pair = [first, first + 1];
    if (this.#loaded.has(x)) return [[], locals];
    this.#loaded.add(x);
    return [load(locals), locals];
  }

  #localsOf(key: Expression | number | string, count: number): number {
    const known = this.#locals.get(key);
    if (known !== undefined) return known;
    const first = this.#count;
    this.#locals.set(key, first);
    this.#count += count;
    return first;
  }
}

/** A vector: one of both of a group. */
interface Place {
  readonly index: number;
  readonly half: Half;
}

function placeOf(dtype: Dtype): Code {
  return op("local.get", bytesPerElement[dtype] === 4 ? FOURFOLD : TWICE);
}

function rememberOdd(local: number): Code {
  const value = op("local.get", local);
  return [...value, ...value, ...op("f32x4.sub"), ...op("local.get", ODD), ...op("v128.or"), ...op("local.set", ODD)];
}

function bitsOf(value: number): number {
  const [bits = 0] = new Uint32Array(Float32Array.of(value).buffer);
  return bits;
}
