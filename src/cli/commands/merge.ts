import { mergeModels } from "../../export/from-recipe/merge-models.ts";
import { lmEvalCommand } from "../../export/lm-eval-command.ts";
import { bytesText } from "../../files/bytes-text.ts";
import { MANIFEST } from "../../model-folder/manifest.ts";
import { interruptionSignal } from "../interruption.ts";
import { printJson, printSentence } from "../output.ts";
import { Progress } from "../progress.ts";

export interface MergeCommandOptions {
  readonly base?: string | undefined;
  readonly expert?: Readonly<Record<string, string>> | undefined;
  readonly mergekitCompat?: boolean | undefined;
  readonly seed?: number | undefined;
  /** In bytes. */
  readonly maxShardSize?: number | undefined;
  readonly json?: boolean | undefined;
}

/** `evomerge merge`: merges models by a recipe into a Hugging Face folder. */
export async function mergeCommand(
  recipe: string,
  to: string,
  { base, expert: experts, mergekitCompat, seed, maxShardSize: maxShardBytes, json }: MergeCommandOptions,
): Promise<void> {
  const progress = new Progress();
  const running = { signal: interruptionSignal(), onEvent: progress.show };
  const options = { recipe, to, base, experts, mergekitCompat, seed, maxShardBytes };
  const merged = await mergeModels({ ...options, ...running }).finally(progress.end);
  const lmEval = lmEvalCommand(merged.model);
  if (json) {
    printJson({ ...merged, lmEval });
    return;
  }
  const { model, bytes, tensors } = merged;
  printSentence(`merged ${tensors} tensors, ${bytesText(bytes)}, into`, model);
  printSentence(`read back; the sha256 of each file is in ${MANIFEST}`);
  printSentence("evaluate it with:", lmEval);
}
