import { Checkpoint } from "../checkpoint/checkpoint.ts";
import { ownNames } from "../model/own-names.ts";

/** Opens a folder as `Checkpoint.open` does, with the names that a model's weights have here, whichever of theirs the files use. */
export function openCheckpoint(
  folder: string,
  { base }: { readonly base?: string | undefined } = {},
): Promise<Checkpoint> {
  return Checkpoint.open(folder, { base, namesOf: ownNames });
}
