/** How the elements of a thread are found in memory, read and written. */
import { bytesPerElement, type Dtype, elementCount, type Shape } from "../../../tensor/dtype.ts";
import type { PtxText } from "./ptx-text.ts";

/** Registers of a thread's elements in one format: f32 in those of floats, halves in halves; a single one is that of all elements. */
export type ThreadElements = readonly string[];

/** Elements in memory. */
export interface ElementsInMemory {
  readonly dtype: Dtype;
  /** A register that has the address of the first element of all. */
  readonly start: string;
  /** A register that has how many elements behind it those of the thread begin; all are there as one where it is none. */
  readonly offset: string | undefined;
}

/** Bytes that one instruction reads or writes at most. */
const MOST_BYTES = 16;

/** Dimensions in which a source goes on from one element to the next, or is repeated, innermost first; neighbours of one kind are one. */
interface Stretch {
  readonly size: number;
  readonly isRepeated: boolean;
}

function stretchesOf(source: Shape, shape: Shape): Stretch[] {
  const stretches: Stretch[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (size === 1) continue;
    const isRepeated = source[axis] === 1;
    const last = stretches.at(-1);
    if (last?.isRepeated === isRepeated) stretches.splice(-1, 1, { size: last.size * size, isRepeated });
    else stretches.push({ size, isRepeated });
  }
  return stretches;
}

/** Of how many neighbouring elements a multiple lies in one piece in a source, or is one element; 0 where that goes for all. */
export function runOf(source: Shape, shape: Shape): number {
  const stretches = stretchesOf(source, shape);
  return stretches.length > 1 ? (stretches[0]?.size ?? 0) : 0;
}

/** Whether neighbouring elements are the same one of a source. */
export function isRepeatedWithin(source: Shape, shape: Shape): boolean {
  return stretchesOf(source, shape)[0]?.isRepeated ?? false;
}

/** Where in a source the element at a place of the shape stands: a register of 64 bits. */
export function offsetIn(text: PtxText, source: Shape, shape: Shape, element: string): string {
  if (elementCount(source) === elementCount(shape)) return element;
  const place = text.make("r", "cvt.u32.u64", element);
  let [below, stride] = [1, 1];
  let offset = text.make("r", "mov.u32", 0);
  for (const { size, isRepeated } of stretchesOf(source, shape)) {
    if (!isRepeated) {
      const from = text.make("r", "div.u32", place, below);
      const within = text.make("r", "rem.u32", from, size);
      offset = text.make("r", "mad.lo.u32", within, stride, offset);
      stride *= size;
    }
    below *= size;
  }
  return text.make("d", "cvt.u64.u32", offset);
}

/** Reads so many elements, at a place that is a multiple of these. */
export function readElements(text: PtxText, { dtype, start, offset }: ElementsInMemory, count: number): ThreadElements {
  const address = addressOf(text, { dtype, start, offset });
  const one = "ld.global.nc";
  if (count === 1)
    return [
      dtype === "f32" ? text.make("f", `${one}.f32`, `[${address}]`) : text.make("h", `${one}.b16`, `[${address}]`),
    ];
  const words = piecesOf(count, dtype).flatMap((at) => {
    const vector = Array.from({ length: 4 }, () => text.register(dtype === "f32" ? "f" : "r"));
    text.add(`${one}.v4.${dtype === "f32" ? "f32" : "b32"} {${vector.join(", ")}}, [${address}+${at}];`);
    return vector;
  });
  return dtype === "f32" ? words : words.flatMap((word) => unpacked(text, word));
}

/** Writes as many elements as a thread takes, at a place that is a multiple of these. */
export function writeElements(text: PtxText, { dtype, start, offset }: ElementsInMemory, lanes: ThreadElements): void {
  const address = addressOf(text, { dtype, start, offset });
  if (lanes.length === 1) {
    text.add(`st.global.${dtype === "f32" ? "f32" : "b16"} [${address}], ${lanes[0]};`);
    return;
  }
  const words = dtype === "f32" ? lanes : packed(text, lanes);
  for (const [i, at] of piecesOf(lanes.length, dtype).entries()) {
    const vector = words.slice(4 * i, 4 * i + 4).join(", ");
    text.add(`st.global.v4.${dtype === "f32" ? "f32" : "b32"} [${address}+${at}], {${vector}};`);
  }
}

/** Two halves of a word, the first in its low bits. */
export function unpacked(text: PtxText, word: string): [string, string] {
  const halves: [string, string] = [text.register("h"), text.register("h")];
  text.add(`mov.b32 {${halves.join(", ")}}, ${word};`);
  return halves;
}

function packed(text: PtxText, halves: ThreadElements): ThreadElements {
  return halves.flatMap((half, i) => (i % 2 === 0 ? [text.make("r", "mov.b32", `{${half}, ${halves[i + 1]}}`)] : []));
}

function addressOf(text: PtxText, { dtype, start, offset }: ElementsInMemory): string {
  return offset === undefined ? start : text.make("d", "mad.lo.u64", offset, bytesPerElement[dtype], start);
}

/** At how many bytes each instruction begins. */
function piecesOf(count: number, dtype: Dtype): number[] {
  return Array.from({ length: (count * bytesPerElement[dtype]) / MOST_BYTES }, (_, i) => i * MOST_BYTES);
}
