import { type Expression, input } from "../device/expression.ts";
import { mergeTensor } from "../merge/merge-tensor.ts";
import type { ParentFacts } from "../merge/facts.ts";
import { learnFacts, makeLeaves, type WeightSources } from "../merge/prepare-merge.ts";
import type { Step } from "../merge/recipe.ts";
import { bytesPerElement, elementCount } from "../tensor/dtype.ts";
import type { StoredValues } from "../tensor/stored-values.ts";
import { fillFrom } from "./file-bytes.ts";
import { parentsOf, type PlannedWeight } from "./plan.ts";
import type { LearnTask, MergeTask, ParentTensor } from "./task.ts";

/** A merge as an expression, and the tensors that are its inputs: the parents, and behind them what is made of them. */
export interface WeightExpression {
  readonly expression: Expression;
  readonly inputs: readonly ParentTensor[];
}

/** What a merge asks of a weight as a whole. */
export function factsOf({ weight, parents }: LearnTask): Promise<ParentFacts> {
  return learnFacts(weight.step, sourcesOf(weight, parents));
}

/** The merge of a weight of its base, where it has one, and its experts. */
export async function expressionOf({ weight, parents, facts: known }: MergeTask): Promise<WeightExpression> {
  const { spec, base, step } = weight;
  const sources = sourcesOf(weight, parents);
  const facts = known ?? (await learnFacts(step, sources));
  const leaves = await makeLeaves(step, sources);
  const first = firstOf(parents);
  const inputs = [...parents];
  const added = leaves.map((ofExpert) =>
    Object.fromEntries(
      Object.entries(ofExpert).map(([name, { buffer }]) => {
        const leaf = { ...first, name, dtype: "f32" as const, stored: new Uint8Array(buffer) };
        inputs.push(leaf);
        return [name, input(leaf)] as const;
      }),
    ),
  );
  const models = Object.fromEntries(parents.map((parent, i) => [String(i), input(parent)]));
  const names = Object.keys(models);
  // What a method without a base is given for one tells it no more than a shape.
  const places = { models, base: "0", experts: base ? names.slice(1) : names };
  const expression = mergeTensor(
    { ...places, ...facts, leaves: added, dtype: spec.dtype },
    stepByPlace(step, parentsOf(weight)),
  );
  return { expression, inputs };
}

function sourcesOf({ base, experts }: PlannedWeight, parents: readonly ParentTensor[]): WeightSources {
  const first = firstOf(parents);
  const stored = new Map(parents.map((parent) => [parent, valuesOf(parent)]));
  return {
    // What is made of a weight is that of the parents' weight, wherever it goes.
    weight: first.name,
    shape: first.shape,
    base: stored.get(first) ?? valuesOf(first),
    experts: (base ? parents.slice(1) : parents).map((parent, i) => ({
      name: experts[i]?.name ?? experts[i]?.model ?? "",
      stored: stored.get(parent) ?? valuesOf(parent),
    })),
  };
}

function firstOf(parents: readonly ParentTensor[]): ParentTensor {
  const [first] = parents;
  if (!first) throw new Error("merge: a weight without parents");
  return first;
}

/** A `passthrough` names its parent by its place among them. */
function stepByPlace(step: Step, sources: ReturnType<typeof parentsOf>): Step {
  if (step.method !== "passthrough") return step;
  return { ...step, model: String(sources.findIndex(({ model }) => model === step.model)) };
}

/** Those of a parent, which are read as a whole once somebody asks for them. */
function valuesOf({ dtype, shape, stored }: ParentTensor): StoredValues {
  if (stored instanceof Uint8Array) return { dtype, bytes: stored };
  const length = elementCount(shape) * bytesPerElement[dtype];
  let bytes: Uint8Array | undefined;
  return {
    dtype,
    unread: { length, read: (start, into) => fillFrom(stored, start, into) },
    get bytes() {
      if (bytes) return bytes;
      bytes = new Uint8Array(length);
      fillFrom(stored, 0, bytes);
      return bytes;
    },
  };
}
