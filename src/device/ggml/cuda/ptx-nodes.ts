/** What the operations of chains are in PTX, for all elements of a thread. */
import type { Dtype } from "../../../tensor/dtype.ts";
import type { Expression, Node } from "../../expression.ts";
import { type ThreadElements, unpacked } from "./ptx-memory.ts";
import type { PtxText } from "./ptx-text.ts";

/** What a node is computed with. */
interface NodeContext {
  readonly text: PtxText;
  /** Of what it reads. */
  readonly lanesOf: (node: Expression) => ThreadElements;
  /** A scale's factor. */
  readonly numberOf: (node: Node<"scale">) => string;
}

/** f32 in PTX, by its bits. */
const [ZERO, ONE] = ["0f00000000", "0f3F800000"];

const BINARY = { add: "add.rn.f32", sub: "sub.rn.f32", mul: "mul.rn.f32" } as const;

/** A node's elements, once those that it reads are there. */
export function computeElements(node: Expression, { text, lanesOf, numberOf }: NodeContext): ThreadElements {
  switch (node.op) {
    case "cast":
      return converted(text, lanesOf(node.x), node.x.dtype as Dtype, node.dtype as Dtype);
    case "add":
    case "sub":
    case "mul": {
      const [x, y] = [lanesOf(node.x), lanesOf(node.y)];
      const count = Math.max(x.length, y.length);
      return Array.from({ length: count }, (_, i) => text.make("f", BINARY[node.op], laneAt(x, i), laneAt(y, i)));
    }
    case "scale": {
      const factor = numberOf(node);
      return lanesOf(node.x).map((lane) => text.make("f", "mul.rn.f32", lane, factor));
    }
    case "abs":
      return lanesOf(node.x).map((lane) => text.make("f", "abs.f32", lane));
    case "step":
      return lanesOf(node.x).map((lane) =>
        text.make("f", "selp.f32", ONE, ZERO, text.make("p", "setp.gt.f32", lane, ZERO)),
      );
    default:
      throw new Error(`a kernel of elementwise operations: found ${node.op}`);
  }
}

export function laneAt(lanes: ThreadElements, i: number): string {
  const lane = lanes[lanes.length === 1 ? 0 : i];
  if (lane === undefined) throw new Error(`a kernel's thread has ${lanes.length} elements, not ${i + 1}`);
  return lane;
}

/** Between the two half formats by way of f32, which has all numbers of both. */
function converted(text: PtxText, lanes: ThreadElements, from: Dtype, to: Dtype): ThreadElements {
  const wide = from === "f32" ? lanes : lanes.map((lane) => widened(text, lane, from));
  return to === "f32" ? wide : rounded(text, wide, to);
}

function widened(text: PtxText, lane: string, from: "f16" | "bf16"): string {
  if (from === "f16") return text.make("f", "cvt.f32.f16", lane);
  // bf16 is the upper half of f32.
  return text.make("f", "mov.b32", `{${text.make("h", "mov.b16", 0)}, ${lane}}`);
}

/** Two at a time where there are several: one instruction rounds both into a word. */
function rounded(text: PtxText, lanes: ThreadElements, to: "f16" | "bf16"): ThreadElements {
  if (lanes.length === 1) return lanes.map((lane) => text.make("h", `cvt.rn.${to}.f32`, lane));
  return lanes.flatMap((lane, i) =>
    i % 2 === 0 ? unpacked(text, text.make("r", `cvt.rn.${to}x2.f32`, laneAt(lanes, i + 1), lane)) : [],
  );
}
