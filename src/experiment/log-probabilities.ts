import { openCheckpoint } from "./open-checkpoint.ts";
import type { EngineName } from "../device/engine-names.ts";
import { UserError } from "../errors.ts";
import type { Hub } from "../hub/api/hub.ts";
import { ParentWeights } from "../evaluate/parent-weights.ts";
import { tokenLogProbabilities } from "../evaluate/token-log-probabilities.ts";
import { checkAliases } from "./check-aliases.ts";
import { checkOpenAdapter } from "./compare-adapters.ts";
import { parentsToScore } from "./parents-to-score.ts";
import type { SourceOptions } from "./sources.ts";
import { checkWeights, openModel } from "../model/open-model.ts";
import type { Precision } from "./experiment.ts";
import { openEngine } from "./open-engine.ts";
import { productDtypes, resolvePrecision } from "./precision.ts";
import { sequenceIds, type TokenIds } from "./token-ids.ts";
import { BASE } from "./the-base.ts";

export interface LogProbabilitiesOptions {
  /** Folder with config.json and weights, or of an adapter, or `org/name@revision` of the Hub; a folder needs no tokenizer. */
  readonly folder: string;
  /** The full model that an adapter is applied to, named likewise; the one that its adapter_config.json names unless given. */
  readonly base?: string | undefined;
  /**
   * Of a causal model the ids of one sequence, at least two, no more than it has positions. Of an encoder-decoder one or more for
   * the encoder, and two or more for the decoder, the first of which is what it begins with (`decoder_start_token_id`).
   */
  readonly ids: TokenIds;
  /** "auto" unless given. */
  readonly engine?: EngineName | undefined;
  /** Of matrix products; f32 unless given. */
  readonly precision?: Exclude<Precision, "mixed"> | undefined;
  /** Where the model comes from if it is not on this machine; the environment's unless given. */
  readonly hub?: Hub | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told what a person should know, such as a better engine that does not work here. */
  readonly onNotice?: SourceOptions["onNotice"];
  /** Told how far the model's download is. */
  readonly onFetching?: SourceOptions["onProgress"];
  /** Told the share that is done. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/**
 * Log-probabilities that a model gives token ids, of an encoder-decoder those of the decoder: of each after the first, given
 * those before it, in nats, so one fewer than there are ids. No text is involved. UserErrors: a folder that cannot be scored,
 * ids that are not whole numbers of its vocabulary, too few or too many of them, those of another kind of model.
 */
export async function logProbabilities(options: LogProbabilitiesOptions): Promise<number[]> {
  const { engine = "auto", precision = "f32", hub, signal, onNotice, onProgress, onFetching } = options;
  const { folder: name, base: of } = options;
  const parents = await parentsToScore({ model: name, base: of }, { hub, signal, onNotice, onProgress: onFetching });
  const [adapter] = parents.experts;
  await using checkpoint = await openCheckpoint(adapter?.path ?? parents.base, { base: parents.base });
  const described = openModel(checkpoint, "f32");
  checkWeights(described, checkpoint);
  if (adapter) await checkOpenAdapter(checkpoint, described, signal);
  await checkAliases(described, checkpoint, { signal });
  const ids = sequenceIds(options.ids, described);
  const { device } = await openEngine({ engine, precision }, onNotice);
  await using _ = device;
  const model = openModel(checkpoint, productDtypes(resolvePrecision(precision, device)).exact);
  await using weights = new ParentWeights(device, new Map([[BASE, checkpoint]]));
  const merging = { device, model, parents: weights, base: BASE, experts: [] };
  const recipe = { method: "passthrough", model: BASE } as const;
  const found = await tokenLogProbabilities(merging, recipe, ids, { signal, onProgress });
  const at = found.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) {
    throw new UserError(
      `${name}: the log-probability of id ${at + 2} of ${ids.ids.length} is not finite (${found[at]}); check the weights`,
    );
  }
  return found;
}
