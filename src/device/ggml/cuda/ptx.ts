/**
 * The text of kernels in PTX, which NVIDIA's driver compiles for the GPU that it has. A thread takes the same elements of all that a kernel
 * reads and makes: a wide one as many as fit into 16 bytes, a narrow one, for what is left over, one. All arithmetic rounds to nearest, is
 * never contracted, and keeps subnormal numbers, so that results have the bits that they have on a CPU; a NaN may have others.
 * @module
 */
import type { Dtype } from "../../../tensor/dtype.ts";
import type { Expression } from "../../expression.ts";
import { type ChainKernel, sourceKey } from "./chain-kernels.ts";
import { isRepeatedWithin, type ThreadElements, readElements, offsetIn, runOf, writeElements } from "./ptx-memory.ts";
import { computeElements, laneAt } from "./ptx-nodes.ts";
import { PtxText } from "./ptx-text.ts";

/** Ampere's, the first GPUs with instructions that round to bf16. */
const HEADER = ".version 7.0\n.target sm_80\n.address_size 64\n";

/** The least major number of the compute capability of a GPU that takes these texts. */
export const LEAST_CAPABILITY = 8;

/** The kernels of a text by what a thread of theirs takes; a text for threads of one element has the narrow one alone. */
export const KERNEL_NAMES = { wide: "wide", narrow: "narrow" } as const;

/** Kernels for all chains of one structure. Sizes stand in the text only where something is repeated along a dimension. */
export function ptxOf(kernel: ChainKernel): string {
  const width = widthOf(kernel);
  const wide = width > 1 ? [kernelText(kernel, KERNEL_NAMES.wide, width)] : [];
  return [HEADER, ...wide, kernelText(kernel, KERNEL_NAMES.narrow, 1)].join("\n");
}

/** Elements of a wide thread; 1 where it would not find them in one piece of all that is read. */
export function widthOf({ shape, sources, ends }: ChainKernel): number {
  const isOfHalves = [...sources, ...ends].some(({ dtype }) => dtype !== "f32");
  const width = isOfHalves ? 8 : 4;
  return sources.every((source) => runOf(source.shape, shape) % width === 0) ? width : 1;
}

/** Its parameters are the addresses of sources and ends, the first element, how many threads' elements there are behind it, and numbers. */
function kernelText({ shape, sources, ends, numbers }: ChainKernel, name: string, width: number): string {
  const text = new PtxText();
  const sourceStarts = sources.map(() => text.parameter("u64"));
  const endStarts = ends.map(() => text.parameter("u64"));
  const first = text.parameter("u64");
  const count = text.parameter("u64");
  const numbersBy = new Map<Expression, string>(numbers.map((node) => [node, text.parameter("f32")]));
  const numberOf = (node: Expression): string => numbersBy.get(node) ?? missing("a number");
  forEachThreadful(text, count, (place) => {
    const element = text.make("d", "mad.lo.u64", place, width, first);
    // All before anything is computed, so that a thread waits for memory once.
    const made = new Map<object, ThreadElements>(
      sources.map((source, i) => {
        const start = sourceStarts[i] ?? missing("a source");
        const lanes = isRepeatedWithin(source.shape, shape) ? 1 : width;
        const offset = offsetIn(text, source.shape, shape, element);
        return [sourceKey(source), readElements(text, { dtype: source.dtype as Dtype, start, offset }, lanes)];
      }),
    );
    const lanesOf = (node: Expression): ThreadElements => {
      const key = node.op === "input" ? node.tensor : node;
      const lanes =
        made.get(key) ??
        (node.op === "constant" ? [numberOf(node)] : computeElements(node, { text, lanesOf, numberOf }));
      made.set(key, lanes);
      return lanes;
    };
    for (const [i, end] of ends.entries()) {
      const lanes = lanesOf(end);
      const all = Array.from({ length: width }, (_, lane) => laneAt(lanes, lane));
      writeElements(
        text,
        { dtype: end.dtype as Dtype, start: endStarts[i] ?? missing("an end"), offset: element },
        all,
      );
    }
  });
  return text.asKernel(name);
}

/** A body for each so many threads behind one another, whatever the number of blocks. */
function forEachThreadful(text: PtxText, count: string, body: (place: string) => void): void {
  const [block, threads, thread, blocks] = ["%ctaid.x", "%ntid.x", "%tid.x", "%nctaid.x"].map((special) =>
    text.make("r", "mov.u32", special),
  ) as [string, string, string, string];
  const place = text.make("d", "mul.wide.u32", block, threads);
  const own = text.make("d", "cvt.u64.u32", thread);
  const stride = text.make("d", "mul.wide.u32", blocks, threads);
  text.add(`add.u64 ${place}, ${place}, ${own};`);
  text.add("next:");
  const isOver = text.make("p", "setp.ge.u64", place, count);
  text.add(`@${isOver} bra over;`);
  body(place);
  text.add(`add.u64 ${place}, ${place}, ${stride};`);
  text.add("bra next;");
  text.add("over:");
  text.add("ret;");
}

function missing(what: string): never {
  throw new Error(`a kernel of elementwise operations lacks ${what}`);
}
