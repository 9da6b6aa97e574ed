import { UserError } from "../errors.ts";
import { expectTensors } from "../experiment/identity.ts";
import type { Workspace } from "../experiment/workspace.ts";
import { printableLine } from "../files/printable.ts";
import { type WorkerAnswer, type Numbers, sentDerivatives, sentSums } from "./answers.ts";
import {
  type AskedGradient,
  type AskedNumbers,
  type AskedScore,
  type Job,
  receivedPrompt,
  receivedRow,
  type Terms,
} from "./jobs.ts";
import { otherTensor, sharedIdentity, unknownHere } from "./shared-identity.ts";

/**
 * Does what a job asks for; a UserError where the job or the parents' files are at fault. What would give other numbers than the
 * run's is refused. Rejects with the signal's reason when that aborts.
 */
export async function answerJob(
  workspace: Workspace,
  job: Job,
  { name: worker, signal }: { readonly name: string; readonly signal: AbortSignal },
): Promise<WorkerAnswer> {
  if (job.kind === "join") {
    const { name, kind, fastestProducts, concurrency } = workspace.engine;
    return { worker, kind: "engine", engine: { name, kind, fastestProducts, concurrency }, why: workspace.why };
  }
  const why = whyRefused(workspace, job);
  if (why !== undefined) return { worker, kind: "refused", why };
  let other: string | undefined;
  expectTensors(
    workspace,
    { tensors: unknownHere(workspace, job.tensors), stamps: job.stamps },
    (parent, tensor) => (other = otherWeights(parent, tensor)),
  );
  try {
    return { worker, kind: "numbers", ...(await numbersFor(workspace, job, signal)) };
  } catch (error) {
    if (other !== undefined) return { worker, kind: "refused", why: other };
    throw error;
  }
}

/** What a workspace scores with. */
export type Scoring = Pick<Workspace, "model" | "scorer">;

/** The numbers that a job asks for, by the parents that are here, whatever they are. */
export function numbersFor(own: Scoring, job: AskedNumbers & Terms, signal: AbortSignal): Promise<Numbers> {
  return job.kind === "score" ? score(own, job, signal) : differentiate(own, job, signal);
}

function whyRefused(workspace: Workspace, { identity, isMixed, tensors }: Terms): string | undefined {
  const own = sharedIdentity(workspace);
  const isOther = (name: string): boolean => own[name] !== identity[name] && !(isMixed && name === "engine");
  const name = Object.keys(identity).find(isOther);
  if (name !== undefined) {
    const [expected, found] = [shown(identity[name]), shown(own[name])];
    const advice =
      name === "engine"
        ? "give the worker that engine, or the run --mixed-engines"
        : "give the worker the experiment, the models and the version of the run";
    return `${name}: expected ${expected}, as the run has it, found ${found}; ${advice}`;
  }
  const other = otherTensor(workspace, tensors);
  return other && otherWeights(other.parent, other.tensor);
}

/** Of a hash enough to tell two apart; the rest comes from a stranger. */
function shown(text = "nothing"): string {
  return /^[0-9a-f]{64}$/.test(text) ? text.slice(0, 12) : printableLine(text.slice(0, 200));
}

function otherWeights(parent: string, tensor: string): string {
  return `${parent}: tensor ${tensor}: expected the bytes that the run has, found others; give the worker the models of the run`;
}

async function score(
  workspace: Scoring,
  { use, batchTokens, recipes, prompts, digestOf, greedy }: AskedScore & Terms,
  signal: AbortSignal,
): Promise<Numbers> {
  const received = prompts.map((prompt) => receivedPrompt(prompt, workspace.model));
  if (digestOf !== undefined && digestOf >= recipes.length) {
    throw new UserError(`a job in the queue: expected one of ${recipes.length} recipes to hash, found ${digestOf}`);
  }
  const scores = await workspace.scorer(use, batchTokens).score(recipes, received, { digestOf, greedy, signal });
  return {
    logLikelihoods: sentSums(scores.logLikelihoods),
    ...(scores.greedy && { greedy: sentSums(scores.greedy) }),
    ...(scores.digest !== undefined && { digest: scores.digest }),
  };
}

async function differentiate(
  workspace: Scoring,
  { use, batchTokens, recipes, rows }: AskedGradient & Terms,
  signal: AbortSignal,
): Promise<Numbers> {
  const received = rows.map((row) => receivedRow(row, workspace.model));
  const found = await workspace.scorer(use, batchTokens).gradient(recipes, received, { signal });
  return { logLikelihoods: sentSums(found.logLikelihoods), derivatives: sentDerivatives(found) };
}
