import type { Experiment } from "../experiment/experiment.ts";
import { GPU_BATCH_TOKENS } from "../experiment/workspace.ts";
import type { Model } from "../model/architecture.ts";
import type { Facts, ModelFacts } from "./facts.ts";
import { namedOptimizer, recordedOptimizer } from "../search/optimizers.ts";
import { parametersIn, parametersOf } from "./parameters.ts";
import { gigabytes, type RuleJudgement, MERGE, type Rule, type SubjectJudgement } from "./rule.ts";

/** An A100 of 40 GB, the accelerator of the competition's machine-learning track. */
const A100 = { bytes: 40e9, flops: 312e12, utilisation: 0.4 };
/** Activations and logits of lm_eval's batches of 8 and the libraries on the device. */
const HEADROOM_BYTES = 6e9;
const BF16 = 2;
const F32 = 4;
const DISK_BYTES_A_SECOND = 1e9;
/** Rows of MMLU's test split, and the tokens of a prompt without examples. */
const MMLU = { prompts: 14_042, tokens: 130 };
const HOUR = 3600;
const DAY = 24 * HOUR;

/** Merge and evaluation run on one accelerator of 40 GB. */
export const fitsMemory: Rule = {
  id: "memory",
  title: "Merge and evaluation fit an accelerator of 40 GB",
  check: ofMerge((base, facts) => judgeMemory(base, facts)),
};

/** Building the merge again and evaluating it takes an hour at most; the search does not count. */
export const withinAnHour: Rule = {
  id: "hour",
  title: "Merge and evaluation take at most 1 h",
  check: ofMerge((base, facts) => judgeHour(base, facts)),
};

/** The search may take a day. */
export const withinADay: Rule = {
  id: "budget",
  title: "The search takes at most 24 h",
  check: ({ experiment }) => [{ subject: MERGE, ...judgeBudget(experiment) }],
};

/** Judges the merged model, which has the shape of the base. */
function ofMerge(judge: (base: ModelFacts, facts: Facts) => RuleJudgement): Rule["check"] {
  return (facts): readonly SubjectJudgement[] => {
    const [base] = facts.models;
    return base ? [{ subject: MERGE, ...judge(base, facts) }] : [];
  };
}

function judgeMemory(base: ModelFacts, facts: Facts): RuleJudgement {
  const parameters = parametersOf(base, facts)?.parameters;
  if (parameters === undefined) return { verdict: "unknown", evidence: `${base.name}: number of parameters not known` };
  const evaluation = parameters * BF16 + HEADROOM_BYTES;
  const merging = base.model && mergeBytes(base.model, facts);
  const evidence = [
    `estimate: lm_eval in bf16 ${gigabytes(evaluation)}`,
    ...(merging === undefined ? [] : [`evomerge ${gigabytes(merging)}`]),
  ].join(", ");
  return { verdict: Math.max(evaluation, merging ?? 0) <= A100.bytes ? "pass" : "fail", evidence };
}

/**
 * The largest stage of every parent in bf16, merged in f32, the activations of one batch and, of a search by gradient, its state at
 * the entrance of every stage.
 */
function mergeBytes(model: Model, { models, experiment }: Facts): number {
  const sizes = model.stages.map(({ weights }) =>
    Object.values(weights).reduce((sum, weight) => sum + parametersIn(weight), 0),
  );
  const layer = model.stages.find(({ place }) => place.layer === 0);
  const widest = Math.max(...Object.values(layer?.weights ?? {}).flatMap(({ shape }) => shape));
  const activations = GPU_BATCH_TOKENS * F32 * (4 * model.hiddenSize + 3 * widest);
  // What a plugin's asks for is not known without running it.
  const { usesGradients } = recordedOptimizer(
    namedOptimizer(experiment.search.algorithm, experiment.space.method === "stack"),
  ) ?? { usesGradients: true };
  const states = usesGradients ? model.stages.length * GPU_BATCH_TOKENS * F32 * model.hiddenSize : 0;
  return Math.max(...sizes) * (models.length * BF16 + F32) + activations + states;
}

function judgeHour(base: ModelFacts, facts: Facts): RuleJudgement {
  const sizes = facts.models.map((model) => parametersOf(model, facts)?.parameters);
  const [parameters] = sizes;
  if (parameters === undefined) return { verdict: "unknown", evidence: `${base.name}: number of parameters not known` };
  const read = sizes.reduce<number>((sum, size) => sum + BF16 * (size ?? parameters), 0);
  // The merge is written once and read again by the evaluation.
  const bytes = read + 2 * BF16 * parameters;
  const tokens = MMLU.prompts * MMLU.tokens;
  const disk = bytes / DISK_BYTES_A_SECOND;
  const compute = (2 * parameters * tokens) / (A100.flops * A100.utilisation);
  const parts = `${gigabytes(bytes)} from and to disk at 1 GB/s ${minutes(disk)}, MMLU on an A100 ${minutes(compute)}`;
  return { verdict: disk + compute <= HOUR ? "pass" : "fail", evidence: `estimate: ${parts}` };
}

function judgeBudget({ budget }: Experiment): RuleJudgement {
  if (!("seconds" in budget)) {
    return { verdict: "unknown", evidence: `${budget.evaluations} evaluations, whose time is not known; give a time` };
  }
  const { seconds } = budget;
  const time = seconds < HOUR ? minutes(seconds) : `${(seconds / HOUR).toFixed(1)} h`;
  const evidence = `${time} for everything up to the export`;
  return { verdict: seconds <= DAY ? "pass" : "fail", evidence };
}

function minutes(seconds: number): string {
  return `${(seconds / 60).toFixed(1)} min`;
}
