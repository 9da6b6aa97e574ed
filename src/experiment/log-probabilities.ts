import { openCheckpoint } from "./open-checkpoint.ts";
import type { EngineName } from "../device/open-device.ts";
import { UserError } from "../errors.ts";
import { ParentWeights } from "../evaluate/parent-weights.ts";
import { tokenLogProbabilities } from "../evaluate/token-log-probabilities.ts";
import { checkAliases } from "./check-aliases.ts";
import { checkWeights, openModel } from "../model/open-model.ts";
import type { Precision } from "./experiment-file.ts";
import { openEngine } from "./open-engine.ts";
import { productDtypes, resolvePrecision } from "./precision.ts";
import { sequenceIds, type TokenIds } from "./token-ids.ts";
import { BASE } from "./workspace.ts";

export interface LogProbabilitiesOptions {
  /** Hugging Face folder with config.json and weights; it needs no tokenizer. */
  readonly folder: string;
  /**
   * Of a causal model the ids of one sequence, at least two, no more than it has positions. Of an encoder-decoder one or more for
   * the encoder, and two or more for the decoder, the first of which is what it begins with (`decoder_start_token_id`).
   */
  readonly ids: TokenIds;
  /** "auto" unless given. */
  readonly engine?: EngineName | undefined;
  /** Of matrix products; f32 unless given. */
  readonly precision?: Exclude<Precision, "mixed"> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told what a person should know, such as a better engine that does not work here. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Told the share that is done. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/**
 * Log-probabilities that a model gives token ids, of an encoder-decoder those of the decoder: of each after the first, given
 * those before it, in nats, so one fewer than there are ids. No text is involved. UserErrors: a folder that cannot be scored,
 * ids that are not whole numbers of its vocabulary, too few or too many of them, those of another kind of model.
 */
export async function logProbabilities(options: LogProbabilitiesOptions): Promise<number[]> {
  const { folder, engine = "auto", precision = "f32", signal, onNotice, onProgress } = options;
  await using checkpoint = await openCheckpoint(folder);
  const described = openModel(checkpoint, "f32");
  checkWeights(described, checkpoint);
  await checkAliases(described, checkpoint, { signal });
  const ids = sequenceIds(options.ids, described);
  const { device } = await openEngine({ engine, precision }, onNotice);
  await using _ = device;
  const model = openModel(checkpoint, productDtypes(resolvePrecision(precision, device)).exact);
  await using parents = new ParentWeights(device, model, new Map([[BASE, checkpoint]]));
  const merging = { device, model, parents, base: BASE, experts: [] };
  const recipe = { method: "passthrough", model: BASE } as const;
  const found = await tokenLogProbabilities(merging, recipe, ids, { signal, onProgress });
  const at = found.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) {
    throw new UserError(
      `${folder}: the log-probability of id ${at + 2} of ${ids.ids.length} is not finite (${found[at]}); check the weights`,
    );
  }
  return found;
}
