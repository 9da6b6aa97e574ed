/** A model as mergekit's files name it: a path or a name on the Hub, each with a revision, and a LoRA adapter that changes it. */
import { z } from "zod";

/** `path` is a folder or `org/name`. */
export interface ModelPath {
  readonly path: string;
  readonly revision?: string;
}

export interface ModelReference extends ModelPath {
  readonly adapter?: ModelPath;
}

/** A model in a recipe that is given in code. */
export type ModelReferenceInput =
  | string
  | { readonly model: string | ModelPath; readonly lora?: string | ModelPath | undefined };

const TEXT = "a model, such as org/name, org/name@revision, a folder, or one of these + an adapter";

const plainText = z.string(TEXT).regex(/^[^+]+$/, TEXT);

const pathSchema: z.ZodType<ModelPath, string | ModelPath> = z.union([
  plainText.transform(readPath),
  // A path in a mapping has no signs of its own.
  z.strictObject({ path: z.string().min(1, "a path"), revision: z.string().min(1, "a revision").exactOptional() }),
]);

/** Reads `model@revision+adapter@revision`, or a mapping of `model` and `lora`. */
export const modelReferenceSchema: z.ZodType<ModelReference, ModelReferenceInput> = z.union([
  z
    .string(TEXT)
    .regex(/^[^+]+(\+[^+]+)?$/, TEXT)
    .transform(readReference),
  z
    .strictObject({ model: pathSchema, lora: pathSchema.optional() })
    .transform(({ model, lora }): ModelReference => ({ ...model, ...(lora && { adapter: lora }) })),
]);

/** By what models are told apart, and called in messages: `path@revision+adapter@revision`. */
export function referenceText({ adapter, ...model }: ModelReference): string {
  return [model, ...(adapter ? [adapter] : [])].map(pathWithRevision).join("+");
}

/** A model's folder, or its name on the Hub with its revision. */
export function pathWithRevision({ path, revision }: ModelPath): string {
  return revision === undefined ? path : `${path}@${revision}`;
}

function readReference(text: string): ModelReference {
  const [model = "", adapter] = text.split("+");
  return { ...readPath(model), ...(adapter !== undefined && { adapter: readPath(adapter) }) };
}

function readPath(text: string): ModelPath {
  const at = text.indexOf("@");
  return at < 0 ? { path: text } : { path: text.slice(0, at), revision: text.slice(at + 1) };
}
