import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import { UserError } from "../errors.ts";

export interface TokenizerOptions {
  /**
   * Whether texts begin with the beginning-of-sequence token, lm_eval's `add_bos_token`. Left out, the post-processor of
   * tokenizer.json decides, as in lm_eval since 0.4.9.2; `add_bos_token` of tokenizer_config.json has no say there.
   */
  readonly addBos?: boolean;
}

const tokenName = z
  .union([z.string(), z.looseObject({ content: z.string() })])
  .nullish()
  .transform((token) => (typeof token === "string" ? token : token?.content));
const configFile = z.looseObject({ bos_token: tokenName, eos_token: tokenName });
const tokenizerFile = z.looseObject({
  model: z.looseObject({ merges: z.array(z.union([z.string(), z.array(z.string())])).optional() }),
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })),
});
type TokenizerFile = z.infer<typeof tokenizerFile>;

/** Text to token ids as the `hf` model of lm_eval does it for causal language models, special tokens included. */
export class Tokenizer {
  /** Hash of everything in the files that decides ids; tokenizers of equal digest are interchangeable. */
  readonly digest: string;
  /** One more than the largest id. */
  readonly vocabularySize: number;
  readonly #tokenizer: HuggingFaceTokenizer;
  readonly #addBos: boolean | undefined;
  /** Stands for an absent context: the beginning-of-sequence token, or the end-of-sequence token where there is none. */
  readonly #prefix: { readonly text: string; readonly id: number; readonly isBos: boolean } | undefined;
  /** Context last encoded: the continuations of a row come one after another. */
  #last: { readonly context: string; readonly ids: Int32Array } | undefined;

  private constructor(file: TokenizerFile, config: z.infer<typeof configFile>, options: TokenizerOptions) {
    this.#tokenizer = new HuggingFaceTokenizer(file, config);
    this.#addBos = options.addBos;
    const text = config.bos_token ?? config.eos_token;
    const id = text === undefined ? undefined : this.#tokenizer.token_to_id(text);
    if (text !== undefined && id !== undefined) this.#prefix = { text, id, isBos: config.bos_token !== undefined };
    this.vocabularySize = 1 + [...this.#tokenizer.get_vocab().values()].reduce((a, b) => Math.max(a, b), -1);
    this.digest = digestOf(file, text);
  }

  /** Reads tokenizer.json and tokenizer_config.json of a model folder; throws a UserError if either cannot be used. */
  static async load(folder: string, options: TokenizerOptions = {}): Promise<Tokenizer> {
    const file = await readJson(folder, "tokenizer.json", tokenizerFile);
    const config = await readJson(folder, "tokenizer_config.json", configFile);
    let tokenizer: Tokenizer;
    try {
      tokenizer = new Tokenizer(file, config, options);
    } catch (error) {
      throw new UserError(`${join(folder, "tokenizer.json")}: not supported: ${(error as Error).message}`, {
        cause: error,
      });
    }
    if (options.addBos && !tokenizer.#prefix?.isBos) {
      throw new UserError(`${join(folder, "tokenizer_config.json")}: expected a bos_token, because addBos asks for it`);
    }
    return tokenizer;
  }

  /** Token ids of a text; `special: false` leaves out what the post-processor and `addBos` add. */
  encode(text: string, { special = true }: { readonly special?: boolean } = {}): Int32Array {
    // A text that already begins with the prefix token gets no second one (lm_eval's `tok_encode`).
    const added = special && !(this.#prefix && text.startsWith(this.#prefix.text));
    const options = { add_special_tokens: added && this.#addBos === undefined };
    const { ids }: { ids: number[] } = this.#tokenizer.encode(text, options);
    return Int32Array.from(added && this.#addBos && this.#prefix ? [this.#prefix.id, ...ids] : ids);
  }

  /**
   * Splits the tokens of context + continuation in two (lm_eval's `_encode_pair`). White space at the end of the context
   * goes to the continuation. The cut is at the length of the encoded context even where a token crosses the seam. An
   * empty context is the prefix token.
   */
  encodePair(context: string, continuation: string): { context: Int32Array; continuation: Int32Array } {
    if (context === "") return this.#encodeAlone(continuation);
    const kept = context.replace(/\p{White_Space}+$/u, "");
    const whole = this.encode(context + continuation);
    if (this.#last?.context !== kept) this.#last = { context: kept, ids: this.encode(kept) };
    const { ids } = this.#last;
    return { context: ids, continuation: whole.subarray(ids.length) };
  }

  #encodeAlone(continuation: string): { context: Int32Array; continuation: Int32Array } {
    const ids = this.encode(continuation, { special: false });
    if (!this.#prefix) throw new Error("an empty context needs a tokenizer with a bos_token or an eos_token");
    if (ids[0] === this.#prefix.id) return { context: ids.subarray(0, 1), continuation: ids.subarray(1) };
    return { context: Int32Array.of(this.#prefix.id), continuation: ids };
  }
}

async function readJson<T>(folder: string, name: string, schema: z.ZodType<T>): Promise<T> {
  const path = join(folder, name);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new UserError(await explainUnreadable(folder, name, error as Error), { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(
    `${path}: ${issue?.path.join(".") || "the file"}: ${issue?.message}; is it from another program?`,
  );
}

async function explainUnreadable(folder: string, name: string, error: Error): Promise<string> {
  const path = join(folder, name);
  if (!("code" in error && error.code === "ENOENT")) return `${path}: cannot be read as JSON: ${error.message}`;
  const present = await readdir(folder).catch(() => []);
  if (name !== "tokenizer.json" || !present.some((file) => /^(tokenizer|spiece)\.model$/.test(file))) {
    return `${path}: not found; copy the tokenizer files of the model into its folder`;
  }
  const convert = `AutoTokenizer.from_pretrained("${folder}").save_pretrained("${folder}")`;
  return `${path}: not found, only SentencePiece's .model; convert it once with transformers in Python: ${convert}`;
}

/** An end-of-sequence token decides nothing beside a beginning-of-sequence token; instruction models often name another. */
function digestOf(file: TokenizerFile, prefix: string | undefined): string {
  // Files of different age write the same merge as "a b" or ["a", "b"].
  const merges = file.model.merges?.map((merge) => (typeof merge === "string" ? merge : merge.join(" ")));
  const { normalizer, pre_tokenizer, post_processor, added_tokens } = file;
  const parts = [{ ...file.model, merges }, normalizer, pre_tokenizer, post_processor, added_tokens, prefix];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
