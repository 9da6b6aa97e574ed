import type { Workspace } from "../experiment/workspace.ts";
import { BASE } from "../experiment/the-base.ts";

/**
 * Whether each of the parents can be scored as it is. Where that goes well after a job that did not, its recipes or rows are at
 * fault, and neither the device nor a file, which all would fail at.
 */
export async function stillScores(
  { scorer, model, experts }: Pick<Workspace, "scorer" | "model" | "experts">,
  signal: AbortSignal,
): Promise<boolean> {
  const recipes = [BASE, ...experts].map((name) => ({ method: "passthrough", model: name }) as const);
  const token = Int32Array.of(0);
  const prompt = { context: token, continuations: [token], ...(model.encoding && { source: token }) };
  try {
    const { logLikelihoods } = await scorer("evaluator", 1).score(recipes, [prompt], { signal });
    return logLikelihoods.flat(2).every((sums) => sums.every(Number.isFinite));
  } catch {
    return false;
  }
}
