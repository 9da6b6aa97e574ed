/** tokenizer.json and tokenizer_config.json of a model folder: read within limits, checked, and what identifies them. */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../errors.ts";
import { readJsonObject } from "../../files/json-object.ts";
import { reasonOf } from "../../files/system-error.ts";
import { checkPieces, checkMerges } from "./vocabulary.ts";

export const TOKENIZER_FILE = "tokenizer.json";
export const TOKENIZER_CONFIG_FILE = "tokenizer_config.json";

/** The largest known, with 262,144 tokens, has 33 MB. */
const TOKENIZER_BYTES = 2 ** 27;
/** Chat templates and descriptions of reserved tokens take up to a megabyte. */
const CONFIG_BYTES = 2 ** 24;

const tokenName = z
  .union([z.string(), z.looseObject({ content: z.string() })])
  .nullish()
  .transform((token) => (typeof token === "string" ? token : token?.content));
const configSchema = z.looseObject({ bos_token: tokenName, eos_token: tokenName });

/** The large parts are looked at where they are: zod would copy each of their tokens, and drop one named `__proto__`. */
const fileSchema = z.looseObject({
  model: z.looseObject({
    vocab: z.unknown().check(checkPieces).optional(),
    merges: z.unknown().check(checkMerges).optional(),
  }),
  added_tokens: z.array(z.looseObject({ id: z.unknown(), content: z.string() })),
});

export type TokenizerFile = z.infer<typeof fileSchema>;
export type TokenizerConfig = z.infer<typeof configSchema>;

/** The two files, whose ids are yet to be checked. */
export interface TokenizerFiles {
  readonly file: TokenizerFile;
  readonly config: TokenizerConfig;
}

/** Reads both files of a model folder; a UserError if one is missing, too large or of another kind. */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const present = await readdir(folder).catch((cause: unknown) => {
    throw new UserError(`${folder}: ${reasonOf(cause)}; expected the folder of a model`, { cause });
  });
  for (const name of [TOKENIZER_FILE, TOKENIZER_CONFIG_FILE]) {
    if (!present.includes(name)) throw new UserError(explainAbsence(folder, name, present));
  }
  return {
    file: await readChecked(join(folder, TOKENIZER_FILE), TOKENIZER_BYTES, fileSchema),
    config: await readChecked(join(folder, TOKENIZER_CONFIG_FILE), CONFIG_BYTES, configSchema),
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

function explainAbsence(folder: string, name: string, present: readonly string[]): string {
  const path = join(folder, name);
  if (name !== TOKENIZER_FILE || !present.some((file) => /^(tokenizer|spiece)\.model$/.test(file))) {
    return `${path}: not found; copy the tokenizer files of the model into its folder`;
  }
  const convert = `AutoTokenizer.from_pretrained("${folder}").save_pretrained("${folder}")`;
  return `${path}: not found, only SentencePiece's .model; convert it once with transformers in Python: ${convert}`;
}

/**
 * Hash of everything in the files that decides ids. An end-of-sequence token decides nothing beside a
 * beginning-of-sequence token; instruction models often name another.
 */
export function digestOf({ file, config }: TokenizerFiles): string {
  const { normalizer, pre_tokenizer, post_processor } = file;
  const { vocab, merges, ...model } = file.model;
  const parts = [
    // Files of different age write the same merge as "a b" or ["a", "b"].
    { merges: Array.isArray(merges) ? merges.map(inOnePiece) : merges, ...model, vocab },
    normalizer,
    pre_tokenizer,
    post_processor,
    file.added_tokens,
    prefixTextOf(config),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

function inOnePiece(merge: string | readonly string[]): string {
  return typeof merge === "string" ? merge : merge.join(" ");
}

/** The token that stands for an absent context: of the beginning of a sequence, or of its end where there is none. */
export function prefixTextOf({ bos_token, eos_token }: TokenizerConfig): string | undefined {
  return bos_token ?? eos_token;
}
