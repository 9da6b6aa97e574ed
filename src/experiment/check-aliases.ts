import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { haveSameValues } from "../checkpoint/same-weights.ts";
import { UserError } from "../errors.ts";
import type { Model } from "../model/architecture.ts";

/**
 * Refuses a checkpoint, which messages call by `name`, that holds a weight under two names with different values, of which one
 * would be lost: transformers 5 then parts what config.json ties, while earlier versions take one of them. Reads both, and
 * nothing of a checkpoint that has each weight once. Rejects with the reason of an aborted signal.
 */
export async function checkAliases(
  { aliases }: Pick<Model, "aliases">,
  checkpoint: Checkpoint,
  { name = checkpoint.folder, signal }: { readonly name?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  for (const { name: alias, of, tiedBy } of aliases) {
    if (!checkpoint.tensors.has(alias) || (await haveSameValues(checkpoint, [of, alias], signal))) continue;
    const [because, advice] =
      tiedBy === undefined
        ? ["", ""]
        : [`, since ${tiedBy} is true`, `set ${tiedBy} to false where both are meant, or `];
    throw new UserError(
      `${name}: tensor ${alias}: expected the values of ${of}${because}, found others; ${advice}remove the one that is not meant`,
    );
  }
}
