import { UserError } from "../errors.ts";
import type { Alias } from "./architecture.ts";
import { type CheckpointHeader, openModel } from "./open-model.ts";

/**
 * What weights are called that a checkpoint holds under another name alone, by that name: transformers ties all that are one and
 * takes whichever the file has. None where config.json is not that of a model, which others explain.
 */
export function ownNames(header: Pick<CheckpointHeader, "folder" | "config" | "tensors">): ReadonlyMap<string, string> {
  const { tensors } = header;
  const lonely = aliasesOf(header).filter(({ name, of }) => tensors.has(name) && !tensors.has(of));
  // Of several, one is the weight, and the others are compared with it.
  const names = new Map(lonely.map(({ name, of }) => [of, name]));
  return new Map(Array.from(names, ([own, name]) => [name, own]));
}

function aliasesOf(header: Parameters<typeof ownNames>[0]): readonly Alias[] {
  try {
    return openModel(header, "f32").aliases;
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}
