import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { joinHeaders } from "../join-headers.ts";
import { openWeightFile, type WeightFile } from "../weight-file.ts";
import { haveSameValues } from "../same-weights.ts";
import { ADAPTER_WEIGHTS } from "../weight-files.ts";
import type { OpenAdapter } from "./adapted-file.ts";
import { readAdapterConfig } from "./adapter-config.ts";
import { planAdapter } from "./plan-adapter.ts";
import { UNTIE } from "./embeddings.ts";
import type { BaseSpecs } from "./tensor-changes.ts";

/** Opens the weights of an adapter; a UserError where there are none, or they are not sound. */
export async function openAdapterWeights(folder: string, names: ReadonlySet<string>): Promise<WeightFile> {
  const weights = ADAPTER_WEIGHTS.find((file) => names.has(file));
  if (weights === undefined)
    throw new UserError(`${folder}: the adapter has no weights; expected ${ADAPTER_WEIGHTS.join(" or ")}`);
  return openWeightFile(join(folder, weights));
}

/** Opens an adapter and finds what it does to a base of these tensors; a UserError where it does not fit that. */
export async function openAdapter(folder: string, names: ReadonlySet<string>, base: BaseSpecs): Promise<OpenAdapter> {
  const config = await readAdapterConfig(folder);
  const file = await openAdapterWeights(folder, names);
  try {
    return { file, changes: planAdapter(config, joinHeaders([{ name: file.path, header: file.header }]), base) };
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Refuses an adapter whose head has other values than its embedding, though both are one tensor of the base. Reads the two,
 * where both are there. Rejects with the reason of an aborted signal.
 */
export async function checkTwins(
  folder: string,
  names: ReadonlySet<string>,
  changes: OpenAdapter["changes"],
  signal?: AbortSignal,
): Promise<void> {
  for (const { replacement, twin } of changes.values()) {
    if (replacement === undefined || twin === undefined) continue;
    await using file = await openAdapterWeights(folder, names);
    const tensors = new Map(file.header.tensors.map((tensor) => [tensor.name, tensor]));
    const peek: WeightFile["part"] = (...part) => file.part(...part);
    if (await haveSameValues({ tensors, peek }, [replacement, twin], signal)) continue;
    throw new UserError(
      `${file.path}: tensor ${twin}: expected the values of ${replacement}, since the two are one in the base, found others; ${UNTIE}`,
    );
  }
}
