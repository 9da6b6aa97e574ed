import type { ParentFacts, Leaf, LeafSource } from "./facts.ts";
import { needsOf } from "./needs-of.ts";
import type { Step } from "./recipe.ts";

/** What a merge of one weight asks for beside the parents. */
export interface Prepared {
  readonly facts: ParentFacts;
  /** Of each expert, in their order, by name; f32, an element for each of the weight's. */
  readonly leaves: readonly Readonly<Record<string, Float32Array>>[];
}

/** One weight of base and experts as it is read. */
export type WeightSources = Pick<LeafSource, "weight" | "shape" | "base" | "experts">;

/** Makes all that a merge asks for, of a weight whose bytes are at hand. */
export async function prepareMerge(step: Step, sources: WeightSources): Promise<Prepared> {
  return { facts: await learnFacts(step, sources), leaves: await makeLeaves(step, sources) };
}

/** Learns the facts alone. */
export async function learnFacts(step: Step, { shape, base, experts }: WeightSources): Promise<ParentFacts> {
  const { gram, cuts, disagreement } = needsOf(step) ?? {};
  if (!gram && !cuts && !disagreement) return {};
  // Weighted sums wait for nothing that looks at whole tensors.
  const { WeightFacts } = await import("./weight-facts.ts");
  const facts = new WeightFacts();
  await facts.learn([step], shape, [base, ...experts.map(({ stored }) => stored)]);
  return facts.of(step);
}

/** Makes the leaves alone. */
export async function makeLeaves(step: Step, sources: WeightSources): Promise<Prepared["leaves"]> {
  const leaves: Record<string, Float32Array>[] = sources.experts.map(() => ({}));
  for (const leaf of leavesOf(step)) {
    for (const [expert, own] of leaves.entries()) own[leaf.name] = await makeLeaf(leaf, step, sources, expert);
  }
  return leaves;
}

/** The leaves in the formula of a merge. */
export function leavesOf(step: Step): readonly Leaf[] {
  return needsOf(step)?.leaves ?? [];
}

/** The leaf of one expert, by its index. */
export function makeLeaf(leaf: Leaf, step: Step, sources: WeightSources, expert: number): Promise<Float32Array> {
  return leaf.make({ ...sources, seed: seedOf(step), expert });
}

/** What a merge that draws draws by: 0 unless its recipe says otherwise. */
export function seedOf(step: Step): number {
  return step.method === "passthrough" ? 0 : (step.seed ?? 0);
}
