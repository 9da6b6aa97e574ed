/** The files of a model folder that say how texts are tokenised: read within limits and checked. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../errors.ts";
import { type JsonObject, readJsonObject } from "../../files/json-object.ts";
import { reasonOf } from "../../files/system-error.ts";
import { checkPieces, checkMerges } from "./vocabulary.ts";

export const TOKENIZER_FILE = "tokenizer.json";
export const TOKENIZER_CONFIG_FILE = "tokenizer_config.json";

/** The largest known, with 262,144 tokens, has 33 MB. */
export const TOKENIZER_BYTES = 2 ** 27;
/** Chat templates and descriptions of reserved tokens take up to a megabyte. */
export const CONFIG_BYTES = 2 ** 24;

const tokenName = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();
const configSchema = z.looseObject({ bos_token: tokenName, eos_token: tokenName });

/** The large parts are looked at where they are: zod would copy each of their tokens, and drop one named `__proto__`. */
const fileSchema = z.looseObject({
  model: z.looseObject({
    vocab: z.unknown().check(checkPieces).optional(),
    merges: z.unknown().check(checkMerges).optional(),
  }),
  added_tokens: z.array(z.looseObject({ id: z.unknown(), content: z.string() })).default([]),
});

export type TokenizerFile = z.infer<typeof fileSchema>;
export type TokenizerConfig = z.infer<typeof configSchema>;

/** The files of a folder that decide ids, whose ids are yet to be checked. */
export interface TokenizerFiles {
  readonly file: TokenizerFile;
  readonly config: TokenizerConfig;
  /** config.json, which may say the class of the tokenizer. */
  readonly model?: JsonObject | undefined;
  /** special_tokens_map.json. */
  readonly specialTokens?: JsonObject | undefined;
  /** added_tokens.json. */
  readonly addedTokens?: JsonObject | undefined;
}

/** Reads the files of a model folder; a UserError if one of the first two is missing, or any too large or of another kind. */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const present = await readdir(folder).catch((cause: unknown) => {
    throw new UserError(`${folder}: ${reasonOf(cause)}; expected the folder of a model`, { cause });
  });
  for (const name of [TOKENIZER_FILE, TOKENIZER_CONFIG_FILE]) {
    if (!present.includes(name)) throw new UserError(explainAbsence(folder, name, present));
  }
  const read = async (name: string): Promise<JsonObject | undefined> =>
    present.includes(name) ? readJsonObject(join(folder, name), CONFIG_BYTES) : undefined;
  return {
    file: withDefaults(await readChecked(join(folder, TOKENIZER_FILE), TOKENIZER_BYTES, fileSchema)),
    config: await readChecked(join(folder, TOKENIZER_CONFIG_FILE), CONFIG_BYTES, configSchema),
    model: await read("config.json"),
    specialTokens: await read("special_tokens_map.json"),
    addedTokens: await read("added_tokens.json"),
  };
}

async function readChecked<T>(path: string, maxBytes: number, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await readJsonObject(path, maxBytes));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(
    `${path}: ${issue?.path.join(".") || "the file"}: ${issue?.message}; is it from another program?`,
  );
}

/** What Hugging Face's `tokenizers` (Rust) takes where a file says nothing. */
function withDefaults(file: TokenizerFile): TokenizerFile {
  const { model } = file;
  return {
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    ...file,
    model: { ...model, type: model["type"] ?? kindOf(model) },
  };
}

/** Files of before 2021 do not say which kind of model they have. */
function kindOf({ vocab, merges, ...settings }: JsonObject): string {
  if (merges) return "BPE";
  if (Array.isArray(vocab)) return "Unigram";
  return Object.hasOwn(settings, "continuing_subword_prefix") ? "WordPiece" : "WordLevel";
}

function explainAbsence(folder: string, name: string, present: readonly string[]): string {
  const path = join(folder, name);
  if (name !== TOKENIZER_FILE || !present.some((file) => /^(tokenizer|spiece)\.model$/.test(file))) {
    return `${path}: not found; copy the tokenizer files of the model into its folder`;
  }
  const cached = /models--([^/\\]+)[/\\]snapshots[/\\][^/\\]+[/\\]*$/.exec(folder)?.[1];
  const [from, to] = cached === undefined ? [folder, folder] : [cached.replace("--", "/"), "converted"];
  const convert = `AutoTokenizer.from_pretrained(${JSON.stringify(from)}).save_pretrained(${JSON.stringify(to)})`;
  // The snapshots of a cache are not to be changed.
  const then =
    cached === undefined ? "" : `; then put its config.json and weights into that folder and give it instead`;
  return `${path}: not found, only SentencePiece's .model; convert it once with transformers in Python: ${convert}${then}`;
}
