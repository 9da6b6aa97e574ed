import { UserError } from "../../errors.ts";
import type { Experiment } from "../../experiment/experiment.ts";
import type { LearntDistribution } from "../../search/optimizer.ts";
import type { Genome } from "../../space/genome.ts";
import { unpack } from "../../tensor/packed.ts";

/** What an experiment has of an earlier search; a UserError where it is no distribution of these genes. */
export function learntStart({
  experiment,
  genome,
}: {
  readonly experiment: Pick<Experiment, "start">;
  readonly genome: Pick<Genome, "dimension">;
}): LearntDistribution | undefined {
  const learnt = experiment.start?.taken?.learnt;
  if (!learnt) return undefined;
  const [mean, covariance] = [learnt.mean, learnt.covariance].map((text) => Float64Array.from(unpack(text) ?? []));
  const { dimension } = genome;
  const isTriangle = covariance?.length === (dimension * (dimension + 1)) / 2;
  const isOurs =
    mean?.length === dimension &&
    mean.every((value) => value >= 0 && value <= 1) &&
    (isTriangle || covariance?.length === dimension) &&
    Array.from({ length: dimension }, (_, i) => covariance?.[isTriangle ? (i * (i + 3)) / 2 : i] ?? 0).every(
      (own) => own > 0,
    );
  if (mean && covariance && isOurs) return { mean, covariance };
  throw new UserError(
    `the distribution that the run begins with: expected a mean and covariances of ${dimension} genes, found others; restore the journal from a copy or start a new run`,
  );
}
