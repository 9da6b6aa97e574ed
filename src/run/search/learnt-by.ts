import { UserError } from "../../errors.ts";
import type { Experiment, TakenStart } from "../../experiment/experiment.ts";
import type { JournalView } from "../../journal/journal.ts";
import { noPlugins } from "../../plugins/load-plugins.ts";
import { recordedOptimizer } from "../../search/optimizers.ts";
import type { Genome } from "../../space/genome.ts";
import { joined, sameBits } from "../../tensor/float64.ts";
import { pack } from "../../tensor/packed.ts";
import { algorithmOf } from "../estimates/search-kind.ts";
import { createOptimizer } from "./create-optimizer.ts";

/** An experiment, and the genes of its space for its parents. */
export interface SearchedGenome {
  readonly experiment: Experiment;
  readonly genome: Genome;
}

/**
 * What the search of a recorded run has learnt, by replaying it. A UserError where it learns none, has no generation, or is not one of these genes
 * by the optimizer that the new run has, and where this version would have asked for other points.
 */
export function learntBy(
  run: string,
  view: JournalView,
  { earlier, now }: { readonly earlier: SearchedGenome; readonly now: SearchedGenome },
): NonNullable<TakenStart["learnt"]> {
  const [algorithm, own] = [algorithmOf(earlier), algorithmOf(now)];
  const refuse = (why: string): UserError =>
    new UserError(`${run}: its distribution cannot be begun with: ${why}; take its winner, which needs none of that`);
  if (algorithm !== own) throw refuse(`it is of ${algorithm}, and the search is by ${own}`);
  if (genesOf(earlier) !== genesOf(now))
    throw refuse("its genes are others than those of the search space for these experts");
  // None of a plugin says what it has learnt.
  if (!recordedOptimizer(algorithm)) throw refuse(`${algorithm} learns none`);
  const plan = view.records.find((record) => record.type === "plan");
  const optimizer = plan && createOptimizer({ ...earlier, plugins: noPlugins }, plan, view);
  if (optimizer && !optimizer.learnt) throw refuse(`${algorithm} learns none`);
  for (const record of view.records) {
    if (!optimizer || record.type !== "result") continue;
    const ask = view.records.find((other) => other.type === "ask" && other.generation === record.generation);
    const asked = joined(optimizer.ask().map(({ point }) => point));
    if (ask?.type !== "ask" || !sameBits(view.readPoints(ask.points), asked))
      throw refuse(`generation ${record.generation} of its journal has other genes than evomerge proposes here`);
    optimizer.tell(
      record.losses.map((loss) => ({ loss })),
      record.spent,
    );
  }
  const learnt = optimizer?.learnt;
  if (!learnt || optimizer.generation === 0) throw refuse("it has scored no generation");
  return { mean: packed(learnt.mean), covariance: packed(learnt.covariance) };
}

function genesOf({ genome: { genes, dimension } }: SearchedGenome): string {
  return JSON.stringify([dimension, genes]);
}

function packed(values: Float64Array): string {
  return pack(Float32Array.from(values));
}
