/** Functions of WebAssembly that multiply a tensor, and differences of others from it, with each other in doubles. */
import { bytesPerElement, type Dtype } from "../dtype.ts";
import { assemble, at, type Code, i32, increase, op, repeated } from "./assembler.ts";
import { loadLanes, type Scratch } from "./lanes.ts";

/** Elements of each tensor that are multiplied at once; those of all are in a core's cache together. */
export const BLOCK = 1024;

export const LANES = 4;
const VECTOR = 16;

/** The parameters: twice the elements, and where their sums are, in bytes behind the first. Then twice and four times the element. */
const [END, SUM, TWICE, FOURFOLD] = [0, 1, 2, 3];
/** Four elements of a tensor, its doubles, and behind them those of the others, and the sums. */
const SCRATCH: Scratch = [4, 5];
const VALUES = 6;
const FIRST_VECTOR = 7;

/** The upper two of the four lanes that are on the stack, in the places of the lower two. */
const UPPER_HALF: Code = [
  ...op("local.get", VALUES),
  ...op("i8x16.shuffle", 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15),
];

/** Where blocks of the tensors are, and the sums of each pair of them, in bytes behind those of the pair before. */
export interface ProductsLayout {
  readonly inputs: readonly { readonly dtype: Dtype; readonly address: number }[];
  readonly sums: number;
  readonly stride: number;
  readonly bytes: number;
}

/** With so many sums of a pair of tensors, an even number. */
export function productsLayout(dtypes: readonly Dtype[], sums: number): ProductsLayout {
  const inputs = dtypes.map((dtype, i) => ({ dtype, address: i * 4 * BLOCK }));
  const first = dtypes.length * 4 * BLOCK;
  const stride = sums * Float64Array.BYTES_PER_ELEMENT;
  const bytes = first + pairAt(dtypes.length, 0) * stride;
  // Four elements at once may reach over the last sum, by zeros.
  return { inputs, sums: first, stride, bytes: bytes + LANES * Float64Array.BYTES_PER_ELEMENT };
}

/** The place of a pair in the lower half of the matrix of products, row by row. */
export function pairAt(i: number, j: number): number {
  const row = Math.max(i, j);
  return (row * (row + 1)) / 2 + Math.min(i, j);
}

/** The low and the high two of four elements. */
const halves = [0, 1] as const;

/**
 * `run(end, sum)` adds products of a block: in one sum for the even elements and one for the odd ones, or, where each element has
 * a sum of its own, to those from one on.
 */
export function productsModule(layout: ProductsLayout, each: "block" | "element"): Uint8Array<ArrayBuffer> {
  const { inputs } = layout;
  const doubles = (i: number, half: number): number => FIRST_VECTOR + 2 * i + half;
  const pairs = inputs.flatMap((_, row) => Array.from({ length: row + 1 }, (__, column) => [row, column] as const));
  const [sums, behind] = each === "block" ? inLocals(layout, pairs, doubles) : inMemory(layout, pairs, doubles);
  const next = [...increase(TWICE, 2 * LANES), ...increase(FOURFOLD, 4 * LANES)];
  const isMore = [...op("local.get", TWICE), ...op("local.get", END), ...op("i32.lt_u")];
  const vectors = FIRST_VECTOR - SCRATCH[0] + 2 * (inputs.length + pairs.length);
  return assemble({
    parameters: ["i32", "i32"],
    locals: ["i32", "i32", ...Array<"v128">(vectors).fill("v128")],
    body: [...repeated([...widened(layout, doubles), ...sums, ...next, ...isMore]), ...behind],
  });
}

/** The local of the doubles of a tensor, or behind those of all, of a pair. */
type Doubles = (i: number, half: number) => number;
type Pairs = readonly (readonly [row: number, column: number])[];

function widened({ inputs }: ProductsLayout, doubles: Doubles): Code {
  return inputs.flatMap(({ dtype, address }, i) => {
    const local = op("local.get", bytesPerElement[dtype] === 4 ? FOURFOLD : TWICE);
    const added = (half: number): Code => (i === 0 ? [] : [...op("local.get", doubles(0, half)), ...op("f64x2.sub")]);
    return [
      ...loadLanes[dtype](local, address, SCRATCH),
      ...op("local.set", VALUES),
      ...halves.flatMap((half) => [
        ...op("local.get", VALUES),
        ...(half === 0 ? [] : UPPER_HALF),
        ...op("f64x2.promote_low_f32x4"),
        ...added(half),
        ...op("local.set", doubles(i, half)),
      ]),
    ];
  });
}

function product([row, column]: Pairs[number], half: number, doubles: Doubles): Code {
  return [...op("local.get", doubles(row, half)), ...op("local.get", doubles(column, half)), ...op("f64x2.mul")];
}

/** Sums of a block, which are added to those in memory once it is done. */
function inLocals({ inputs, sums, stride }: ProductsLayout, pairs: Pairs, doubles: Doubles): readonly [Code, Code] {
  const sum = (pair: number, half: number): number => doubles(inputs.length + pair, half);
  const added = pairs.flatMap((own, pair) =>
    halves.flatMap((half) => [
      ...op("local.get", sum(pair, half)),
      ...product(own, half, doubles),
      ...op("f64x2.add"),
      ...op("local.set", sum(pair, half)),
    ]),
  );
  const stored = pairs.flatMap((_, pair) => [
    ...i32(0),
    ...i32(0),
    ...at("v128.load", sums + pair * stride),
    ...halves.flatMap((half) => op("local.get", sum(pair, half))),
    ...op("f64x2.add"),
    ...op("f64x2.add"),
    ...at("v128.store", sums + pair * stride),
  ]);
  return [added, stored];
}

function inMemory({ sums, stride }: ProductsLayout, pairs: Pairs, doubles: Doubles): readonly [Code, Code] {
  const added = pairs.flatMap((own, pair) =>
    halves.flatMap((half) => {
      const address = sums + pair * stride + half * VECTOR;
      return [
        ...op("local.get", SUM),
        ...op("local.get", SUM),
        ...at("v128.load", address),
        ...product(own, half, doubles),
        ...op("f64x2.add"),
        ...at("v128.store", address),
      ];
    }),
  );
  return [[...added, ...increase(SUM, 2 * VECTOR)], []];
}
