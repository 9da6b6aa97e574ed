import { randomUUID } from "node:crypto";
import { access, constants, mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { openCheckpoint } from "../experiment/open-checkpoint.ts";
import { cannotWrite } from "../files/cannot-write.ts";
import { UserError } from "../errors.ts";
import type { LmEval } from "./find-lm-eval.ts";
import type { ModelToEvaluate } from "./models-to-evaluate.ts";
import { readLmEvalOutput } from "./read-results.ts";
import { writeUnderFreeName } from "../files/free-name.ts";
import {
  LmEvalError,
  lmEvalArguments,
  type LmEvalQuestion,
  runLmEval,
  type RunLmEvalOptions,
  settingsOf,
} from "./run-lm-eval.ts";
import {
  type EvaluationKey,
  evaluationPath,
  findEvaluation,
  type StoredEvaluation,
  writeEvaluation,
} from "./stored-evaluation.ts";

export interface ModelQuestion {
  readonly model: ModelToEvaluate;
  readonly question: LmEvalQuestion;
  readonly lmEval: LmEval;
  /** Of the stored evaluations. */
  readonly folder: string;
}

/** What lm_eval said of a model, and whether that was an earlier time. */
export interface Done {
  readonly evaluation: StoredEvaluation;
  readonly isStored: boolean;
}

/**
 * Evaluates one model and stores what lm_eval said, unless that is stored already. Output that cannot be read or stored
 * stays in `<model>.json.<uuid>.incomplete`, since it may have taken hours; two evaluations of one model have one each. One
 * that is killed leaves none, since lm_eval makes that folder only when it has results.
 */
export async function evaluateModel(asked: ModelQuestion, options: RunLmEvalOptions): Promise<Done> {
  const { model, question, lmEval, folder } = asked;
  options.signal?.throwIfAborted();
  const key = {
    task: question.task,
    arguments: settingsOf(question),
    lmEvalVersion: lmEval.version,
    weights: await weightsDigest(model),
    ...(model.recipe === undefined ? {} : { recipe: model.recipe }),
  };
  const stored = await findEvaluation(folder, model.name, key);
  if (stored) return { evaluation: stored, isStored: true };
  const output = await newPath(evaluationPath(folder, question.task, model.name));
  const evaluation = await ask(asked, key, output, options).catch((error: unknown) => {
    if (error instanceof UserError) throw new UserError(`${model.name}: ${error.message}`, { cause: error });
    throw error;
  });
  await writeEvaluation(folder, evaluation);
  await rm(output, { recursive: true, force: true });
  return { evaluation, isStored: false };
}

/** A UserError for a parent that is not what the run has read. */
async function weightsDigest({ folder, base, tensors = {} }: ModelToEvaluate): Promise<string> {
  await using checkpoint = await openCheckpoint(folder, { base });
  checkpoint.expect(Object.entries(tensors));
  return await checkpoint.weightsDigest();
}

/** Runs lm_eval; where it fails, its output is kept beside the evaluations. */
async function ask(
  { model, question, lmEval, folder }: ModelQuestion,
  key: EvaluationKey,
  output: string,
  options: RunLmEvalOptions,
): Promise<StoredEvaluation> {
  const args = lmEvalArguments(model.folder, question, output, model.base);
  const start = performance.now();
  try {
    await runLmEval(lmEval, args, options);
  } catch (error) {
    await rm(output, { recursive: true, force: true });
    if (!(error instanceof LmEvalError)) throw error;
    const log = await writeUnderFreeName(
      evaluationPath(folder, question.task, model.name).replace(/json$/, "log"),
      `${error.output}\n`,
    );
    throw new UserError(`${error.message}; the end of its output is in ${log}`, { cause: error });
  }
  const seconds = (performance.now() - start) / 1000;
  const { results, rows } = await readLmEvalOutput(output);
  const { name, folder: _, tensors: __, base: ___, ...described } = model;
  const command = [...lmEval.command, ...args];
  return { model: name, ...described, ...key, command, date: new Date().toISOString(), seconds, rows, results };
}

/** A path beside another that nothing has, in a folder that can be written to. lm_eval makes a folder there at its end. */
async function newPath(path: string): Promise<string> {
  const folder = dirname(path);
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    return `${path}.${randomUUID()}.incomplete`;
  } catch (cause) {
    throw cannotWrite(folder, cause);
  }
}
