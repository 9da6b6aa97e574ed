import type { Recipe } from "../merge/recipe.ts";
import type { ScoreOptions } from "./scorer.ts";
import { packPrompts } from "./pack.ts";
import { goForward, onDevice, targetValues } from "./pass.ts";
import type { Merging } from "./stage-run.ts";

/** Token ids of one sequence, and of a model with an encoder those that it reads. */
export interface SequenceIds {
  readonly ids: Int32Array;
  readonly source?: Int32Array;
}

/**
 * Log-probabilities of the tokens of one sequence, each after the first given those before it and the source: nats, f32, one
 * fewer than there are ids. The model must know the ids and have positions for all of them. It reads them all, as a call of the
 * model in transformers does: how many it reads may decide how it turns heads.
 */
export async function tokenLogProbabilities(
  merging: Merging,
  recipe: Recipe,
  { ids, ...source }: SequenceIds,
  { signal, onProgress = () => {} }: Pick<ScoreOptions, "signal" | "onProgress"> = {},
): Promise<number[]> {
  const { device, model, parents } = merging;
  // All that follows the first token is one continuation, whose targets are in the order of its tokens. The last token of one is
  // predicted and not read, so there is one more, of no meaning.
  const following = new Int32Array(ids.length);
  following.set(ids.subarray(1));
  const prompt = { ...source, context: ids.subarray(0, 1), continuations: [following] };
  const packed = packPrompts([prompt], { batchTokens: ids.length, ...model });
  const pass = { recipes: [recipe], members: [0], hashing: undefined, signal, report: onProgress, now: Date.now };
  return parents.turn(() =>
    onDevice(merging, packed, pass, async (course) => {
      const { branches } = await goForward(merging, course, pass);
      const found: number[] = [];
      for (const branch of branches.at(-1)!)
        for await (const { values } of targetValues(device, branch, course.batches)) found.push(...values);
      return found.slice(0, -1);
    }),
  );
}
