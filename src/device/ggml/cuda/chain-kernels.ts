/** Which kernels compute a run of elementwise operations alone, such as merges: each reads what it is made of once, and keeps the rest in registers. */
import { elementCount, sameShape, type Shape } from "../../../tensor/dtype.ts";
import type { Expression, Node } from "../../expression.ts";
import type { DeviceTensor } from "../../device-tensor.ts";
import { inOrder, operands, tensorsOf } from "../../graph.ts";
import { isOfChains } from "../chains.ts";

/** What a kernel reads from memory: of each tensor one node, and constants of more than one number. */
export type KernelSource = Node<"input"> | Node<"constant">;

/** Whose number a kernel is told when it starts. */
export type KernelNumber = Node<"scale"> | Node<"constant">;

/** Outputs of one shape that are made of what is given, element by element. */
export interface ChainKernel {
  readonly shape: Shape;
  /** One for each place, also where the same is asked for twice. */
  readonly ends: readonly Expression[];
  /** Where the ends stand among all outputs. */
  readonly places: readonly number[];
  readonly sources: readonly KernelSource[];
  readonly numbers: readonly KernelNumber[];
}

/** Outputs of one kernel. Its code grows with them and is compiled anew for each number of them; parents that are read once more for each 32 cost little. */
const MOST_ENDS = 32;

/** Of all parameters: what kernels of any driver take. */
const MOST_BYTES = 4096;

/** Places within a kernel's shape are divided in 32 bits. */
const MOST_DIVIDED = 2 ** 32;

/**
 * Tells outputs that a kernel may compute: those that are made of given tensors and constants by such operations alone. Quotients are ggml's,
 * wherever they stand: its own are fast ones, whose last bit may be another, and what is scored must have the bits of what is written.
 */
export function areKernelsWork(): (output: Expression) => boolean {
  const known = new Map<Expression, boolean>();
  const isMade = (node: Expression): boolean => {
    const done = known.get(node);
    if (done !== undefined) return done;
    const isGiven = node.op === "input" ? node.dtype !== "i32" : node.op === "constant";
    const made = isGiven || (isOfChains(node) && node.op !== "div" && operands(node).every(isMade));
    known.set(node, made);
    return made;
  };
  return isMade;
}

/** The kernels of outputs, each in one of them; none where a part of the outputs is no kernel's work. */
export function kernelsOf(outputs: readonly Expression[]): readonly ChainKernel[] | undefined {
  if (!outputs.every(areKernelsWork())) return undefined;
  const kernels = relatedPlaces(outputs)
    .flatMap(inParts)
    .map((places) => kernelAt(places, outputs));
  return kernels.every(fits) ? kernels : undefined;
}

/** Places of outputs of one shape that are made of a tensor in common: the weights of a layer have none, and then kernels with the same text. */
function relatedPlaces(outputs: readonly Expression[]): readonly (readonly number[])[] {
  let groups: {
    readonly shape: Shape;
    readonly tensors: ReadonlySet<DeviceTensor>;
    readonly places: readonly number[];
  }[] = [];
  for (const [place, output] of outputs.entries()) {
    const { shape } = output;
    const own = new Set(tensorsOf(inOrder([output])));
    const isRelated = (group: (typeof groups)[number]): boolean =>
      sameShape(group.shape, shape) && [...own].some((tensor) => group.tensors.has(tensor));
    const related = groups.filter(isRelated);
    const tensors = new Set([...related.flatMap((group) => [...group.tensors]), ...own]);
    const places = [...related.flatMap((group) => group.places), place];
    groups = [...groups.filter((group) => !related.includes(group)), { shape, tensors, places }];
  }
  return groups.map(({ places }) => places);
}

/** Bytes of a kernel's parameters: addresses, where it begins, how much it does, and numbers. */
function parameterBytes({ sources, ends, numbers }: Omit<ChainKernel, "shape" | "places">): number {
  return 8 * (sources.length + ends.length + 2) + 4 * numbers.length;
}

/** What a node of a kernel is to it: a source stands for all nodes of its tensor. */
export function sourceKey(node: KernelSource): object {
  return node.op === "input" ? node.tensor : node;
}

function isNumber(node: KernelSource | KernelNumber): node is KernelNumber {
  return node.op === "scale" || (node.op === "constant" && elementCount(node.shape) === 1);
}

/** As many in each part as can be. */
function inParts(places: readonly number[]): readonly (readonly number[])[] {
  const parts = Math.ceil(places.length / MOST_ENDS);
  const startOf = (part: number): number => Math.floor((part * places.length) / parts);
  return Array.from({ length: parts }, (_, i) => places.slice(startOf(i), startOf(i + 1)));
}

function kernelAt(places: readonly number[], outputs: readonly Expression[]): ChainKernel {
  const ends = places.flatMap((place) => outputs[place] ?? []);
  const sources = new Map<object, KernelSource>();
  const numbers = new Set<KernelNumber>();
  const met = new Set<Expression>();
  const meet = (node: Expression): void => {
    if (met.has(node)) return;
    met.add(node);
    operands(node).forEach(meet);
    if (node.op !== "scale" && node.op !== "constant" && node.op !== "input") return;
    if (isNumber(node)) numbers.add(node);
    else sources.set(sourceKey(node), node);
  };
  ends.forEach(meet);
  return { shape: ends[0]?.shape ?? [], ends, places, sources: [...sources.values()], numbers: [...numbers] };
}

function fits(kernel: ChainKernel): boolean {
  const { shape, sources } = kernel;
  const isDivided = sources.some((source) => elementCount(source.shape) !== elementCount(shape));
  return parameterBytes(kernel) <= MOST_BYTES && !(isDivided && elementCount(shape) > MOST_DIVIDED);
}
