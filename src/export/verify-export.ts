import { openCheckpoint } from "../experiment/open-checkpoint.ts";
import { WeightsDigest } from "../checkpoint/weights-digest.ts";
import { UserError } from "../errors.ts";
import type { RowLosses } from "../evaluate/evaluator.ts";
import type { Experiment } from "../experiment/experiment.ts";
import type { Task } from "../experiment/load-tasks.ts";
import { BASE } from "../experiment/the-base.ts";
import { openWorkspace, type Workspace } from "../experiment/workspace.ts";
import type { Recipe } from "../merge/recipe.ts";
import type { TaskRow } from "../tasks/rows.ts";

/** Rows of each task that an export is scored on. */
const ROWS = 4;

/** What an exported folder must hold, and be. */
export interface Expectation {
  /** Of the weights. */
  readonly digest: string;
  readonly experiment: Experiment;
  readonly recipe: Recipe;
  readonly tasks: readonly Task[];
}

/**
 * Proves an exported folder by what is on the disk: all weights by their digest, configuration and tokenizer by scores. It
 * is opened as any model folder is and scored on some rows beside the recipe that it was made by; the rows see the same
 * batches, so that the losses must be equal to the last bit. A UserError where something differs.
 */
export async function verifyExport(
  workspace: Workspace,
  expected: Expectation,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const found = await digestOf(folder, signal);
  if (found !== expected.digest) {
    throw new UserError(
      `${folder}: expected weights of digest ${expected.digest} on the disk, found ${found}; check the disk and export again`,
    );
  }
  await verifyScores(workspace, expected, folder, signal);
}

/** Digest of all weights of a folder, tensor by tensor. */
async function digestOf(folder: string, signal?: AbortSignal): Promise<string> {
  await using checkpoint = await openCheckpoint(folder);
  const digest = new WeightsDigest();
  for (const [name, info] of checkpoint.tensors) {
    signal?.throwIfAborted();
    await digest.add(info, await checkpoint.read(name));
  }
  return digest.digest();
}

async function verifyScores(
  { evaluator }: Workspace,
  { experiment, recipe, tasks }: Expectation,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const rows = Object.fromEntries(
    tasks.map(({ name, guard }): [string, readonly TaskRow[]] => [name, guard.slice(0, ROWS)]),
  );
  const [expected] = await evaluator.evaluate([recipe], rows, { signal });
  await using written = await openWorkspace(
    { ...experiment, base: folder, experts: [], tokenizer: "base" },
    { signal },
  );
  const [found] = await written.evaluator.evaluate([{ method: "passthrough", model: BASE }], rows, { signal });
  if (haveSameLosses(expected, found)) return;
  throw new UserError(
    `${folder}: the written model scores otherwise than the merge it was made of; check the disk and export again`,
  );
}

/** Whether all losses are equal to the last bit; NaN equals NaN and nothing else. */
export function haveSameLosses(a: RowLosses | undefined, b: RowLosses | undefined): boolean {
  const [own, other] = [lossesOf(a), lossesOf(b)];
  return own.length === other.length && own.every((loss, i) => Object.is(loss, other[i]));
}

function lossesOf(evaluation: RowLosses | undefined): readonly number[] {
  return Object.values(evaluation?.scores ?? {}).flatMap((scores) => scores.map(({ loss }) => loss));
}
