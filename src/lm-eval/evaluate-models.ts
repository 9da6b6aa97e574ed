import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { hubReference } from "../experiment/model-name.ts";
import { modelFolder } from "../experiment/model-folder.ts";
import type { Hub } from "../hub/api/hub.ts";
import type { MovedPlaces } from "../journal/records.ts";
import { type Benchmark, writeBenchmarks } from "../report/benchmarks.ts";
import type { RunEvent } from "../run/session/events.ts";
import { rememberMoved } from "../run/recorded/remember-moved.ts";
import { benchmarksOf } from "./benchmarks-of.ts";
import { evaluateModel } from "./evaluate-model.ts";
import { findLmEval } from "./find-lm-eval.ts";
import {
  exported,
  type FetchModel,
  modelAlone,
  modelsOfRun,
  type ModelToEvaluate,
  namesInRun,
} from "./models-to-evaluate.ts";
import { lmEvalArguments, type LmEvalQuestion, settingsOf } from "./run-lm-eval.ts";
import { readEvaluations, type StoredEvaluation } from "./stored-evaluation.ts";
import { tiedHead } from "./tied-head.ts";

/** What evaluating tells while it goes on; the export of a winner tells its own. */
export type EvaluationEvent =
  | RunEvent
  | { readonly type: "evaluating"; readonly model: string; readonly share: number }
  /** `isStored`: it was evaluated before, and was not again. */
  | { readonly type: "evaluated"; readonly model: string; readonly seconds: number; readonly isStored: boolean };

export interface EvaluateOptions extends Partial<LmEvalQuestion> {
  /** The Python that has lm_eval. */
  readonly python?: string | undefined;
  /** Only these models of a run, by name. */
  readonly models?: readonly string[] | undefined;
  /** Where models and rows of a run are that were moved. It is remembered. */
  readonly moved?: MovedPlaces | undefined;
  /** Where models come from that are not on this machine; the environment's unless given. */
  readonly hub?: Hub | undefined;
  /** Of lm_eval; that of this process unless given. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly onEvent?: ((event: EvaluationEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What evaluating has found. */
export interface Evaluated {
  /** Where the evaluations are stored. */
  readonly folder: string;
  readonly benchmark: Benchmark;
}

/**
 * Evaluates a run's winner, base and experts, or one model, with lm_eval: the competition's own command unless options
 * change it. Every model is stored when it is done, in `lm_eval` of the run's folder or in `<model>.lm_eval` beside the
 * model's (for a model of the Hub in `results`), and is not evaluated again with the same weights, arguments and lm_eval.
 * The search never sees any of it.
 */
export async function evaluateModels(target: string, options: EvaluateOptions = {}): Promise<Evaluated> {
  const { task = "mmlu", batchSize = "8", args = [], python, environment, hub, moved, onEvent, signal } = options;
  const question = { task, batchSize, args };
  const isRun = existsSync(join(target, "journal.jsonl"));
  const folder = isRun ? join(target, "lm_eval") : `${besideModel(target)}.lm_eval`;
  // Before anything is fetched.
  const lmEval = await findLmEval({ python, environment });
  if (isRun && moved) await rememberMoved(target, moved, { hub, onEvent, signal });
  const fetchModel: FetchModel = (model) =>
    modelFolder(model, { hub, signal, onProgress: (progress) => onEvent?.({ type: "fetching", ...progress }) });
  const found = isRun ? await modelsOfRun(target, options.models, fetchModel) : [await modelAlone(target, fetchModel)];
  // Before anything is computed, for every model.
  for (const model of found) lmEvalArguments(model.folder, question, folder);
  const models: ModelToEvaluate[] = [];
  for (const model of found) {
    models.push(model.kind === "winner" ? await exported(target, model, { onEvent, signal, hub }) : model);
  }
  const current: StoredEvaluation[] = [];
  for (const model of models) {
    const onProgress = (share: number): void => onEvent?.({ type: "evaluating", model: model.name, share });
    const notice = await tiedHead(model.name, model.folder);
    if (notice !== undefined) onEvent?.({ type: "notice", text: notice });
    const asked = { model, question, lmEval, folder };
    const { evaluation, isStored } = await evaluateModel(asked, { onProgress, signal, environment });
    current.push(evaluation);
    onEvent?.({ type: "evaluated", model: model.name, seconds: evaluation.seconds, isStored });
  }
  const names = isRun ? namesInRun(target) : models.map(({ name }) => name);
  // Weights may be those of an earlier time again, which does not make their evaluation the latest.
  const benchmarks = await benchmarksOf([...(await readEvaluations(folder)), ...current], names);
  if (isRun) await writeBenchmarks(target, benchmarks);
  const settings = JSON.stringify([settingsOf(question), lmEval.version]);
  const benchmark = benchmarks.find(
    ({ arguments: asked, lmEvalVersion }) => JSON.stringify([asked, lmEvalVersion]) === settings,
  );
  if (!benchmark) throw new Error(`${folder}: no evaluation of ${task} after evaluating it`);
  return { folder, benchmark };
}

/** Where a model's evaluations begin their name: never in the cache of the Hub. */
function besideModel(target: string): string {
  return hubReference(target) ? join("results", target.replaceAll("/", "--")) : resolve(target);
}
