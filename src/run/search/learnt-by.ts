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
 * What the search of a recorded run has learnt, by replaying it; `requireLearner` has found no fault. A UserError where it has no generation or is
 * not one of these genes, and where this version would have asked for other points.
 */
export function learntBy(
  run: string,
  view: JournalView,
  { earlier, now }: { readonly earlier: SearchedGenome; readonly now: SearchedGenome },
): NonNullable<TakenStart["learnt"]> {
  const refuse = (why: string): UserError => refusal(run, why);
  if (genesOf(earlier) !== genesOf(now))
    throw refuse("its genes are others than those of the search space for these experts");
  const plan = view.records.find((record) => record.type === "plan");
  const optimizer = plan && createOptimizer({ ...earlier, plugins: noPlugins }, plan, view);
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

/** A UserError where a search by one algorithm cannot begin with what one by another has learnt; no file but the journal is needed for that. */
export function requireLearner(run: string, earlier: Experiment, now: Experiment): void {
  const [algorithm, own] = [algorithmOf({ experiment: earlier }), algorithmOf({ experiment: now })];
  if (algorithm !== own) throw refusal(run, `it is of ${algorithm}, and the search is by ${own}`);
  // Points beside a mean are drawn from a distribution; none of a plugin says what it has learnt.
  if (recordedOptimizer(algorithm)?.beside !== "mean")
    throw refusal(run, `${algorithm} has none, and comes to points alone`);
}

function refusal(run: string, why: string): UserError {
  return new UserError(
    `${run}: its distribution cannot be begun with: ${why}; take its winner (--take winner), which needs none of that`,
  );
}

function genesOf({ genome: { genes, dimension } }: SearchedGenome): string {
  return JSON.stringify([dimension, genes]);
}

function packed(values: Float64Array): string {
  return pack(Float32Array.from(values));
}
