import { type Reranking, rerankRun, type TaskWeights } from "../../report/rerank/rerank-run.ts";
import { rerankText } from "../../report/rerank/rerank-text.ts";
import { interruptionSignal } from "../interruption.ts";
import { type MovedOptions, movedPlaces } from "../options/moved-options.ts";
import { print, printJson, resultWidth } from "../output.ts";

export interface RerankCommandOptions extends Pick<MovedOptions, "rows" | "guard"> {
  readonly weights: TaskWeights;
  readonly json?: boolean | undefined;
}

/** `evomerge rerank`: which model of a run would win under other weights of its tasks. */
export async function rerankCommand(folder: string, { weights, json, ...moved }: RerankCommandOptions): Promise<void> {
  const ranking = await rerankRun(folder, weights, { moved: movedPlaces(moved), signal: interruptionSignal() });
  if (json) printJson(withoutRecipes(ranking));
  else print(rerankText(ranking, resultWidth()));
}

/** The journal has them, and of many columns they are large. */
function withoutRecipes({ guard, ...ranking }: Reranking): object {
  const models = guard?.models.map((model) => ({ ...model, recipe: undefined }));
  return { ...ranking, ...(guard && { guard: { ...guard, models } }) };
}
