/** What is wrong with an adapter, in words. */
import { UserError } from "../../errors.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { sameShape, type Shape } from "../../tensor/dtype.ts";
import type { AdapterConfig } from "./adapter-config.ts";

/** What to do about a base that had other rows than it has. */
const RESIZED =
  "its base had other tokens, such as added ones: save the base and its tokenizer as they were then, after resize_token_embeddings, and name that as the base";

export function adapterFault({ name }: Pick<AdapterConfig, "name">, text: string): UserError {
  return new UserError(`${name}: the adapter: ${text}`);
}

/** Such as a name with and one without what peft puts in front of it. */
export function bothNamed(first: string, second: string): string {
  return `${show(first)} and ${show(second)} are two tensors for one place; remove the one that is not meant`;
}

/** Of a tensor whose module the adapter does not mean to change. */
export function untargeted(tensor: string, { path }: Pick<AdapterConfig, "path">): string {
  return `${show(tensor)}: peft leaves it out, since ${path} does not mean its module (target_modules, exclude_modules, layers_to_transform); name the module there, or remove its tensors`;
}

/** Why a shape is not the base's; undefined where it is. */
export function shapeFault(found: Shape, expected: Shape, { isOfTokens = false } = {}): string | undefined {
  if (sameShape(found, expected)) return undefined;
  const shapes = `expected shape [${expected.join(", ")}] of the base, found [${found.join(", ")}]`;
  const isResized = isOfTokens && sameShape(found.slice(1), expected.slice(1));
  return `${shapes}; ${isResized ? RESIZED : "it is an adapter of another model"}`;
}
