/** The library's tokenizer, with parts of our own in the place of those that give other ids than Hugging Face's `tokenizers` (Rust). */
import { Tokenizer } from "@huggingface/tokenizers";
import type { JsonObject } from "../../files/json-object.ts";
import { CompiledMap } from "./compiled-map.ts";
import { leavingOut } from "./lacking-characters.ts";
import { normalizerForLibrary } from "./normalizers.ts";
import { preTokenizerForLibrary } from "./pre-tokenizers.ts";
import type { TokenizerFile } from "./tokenizer-file.ts";
import { Unigram } from "./unigram.ts";

/** The library's normalizer of a sequence. */
interface Steps {
  readonly normalizers: readonly { readonly config: JsonObject; normalize: (text: string) => string }[];
}

/** The library's model: pieces of what a text was divided into. */
interface PieceModel {
  encode: (texts: readonly string[]) => string[];
  /** Whether unknown pieces become one even where the text was divided between them. */
  fuse_unk: boolean;
}

/** Throws an Error that says what the file has that cannot be used. */
export function libraryTokenizer(file: TokenizerFile): Tokenizer {
  const normalizer = normalizerForLibrary(file["normalizer"]);
  // What is read here is never written back as text.
  const tokenizer = new Tokenizer({ ...file, normalizer, pre_tokenizer: stepsFor(file), decoder: null }, {});
  for (const step of (tokenizer.normalizer as Steps | null)?.normalizers ?? []) {
    if (step.config["type"] !== "Precompiled") continue;
    const map = new CompiledMap(step.config["precompiled_charsmap"]);
    step.normalize = (text) => map.normalize(text);
  }
  if (file.model["type"] === "Unigram") {
    const unigram = Unigram.of(file.model);
    const encode = (texts: readonly string[]): string[] => texts.flatMap((text) => unigram.split(text));
    Object.assign(tokenizer.model as unknown as PieceModel, { encode, fuse_unk: false });
  }
  return tokenizer;
}

function stepsFor({ model, pre_tokenizer: preTokenizer }: TokenizerFile): JsonObject | null {
  const sequence = preTokenizerForLibrary(preTokenizer);
  const steps = (sequence?.["pretokenizers"] ?? []) as readonly JsonObject[];
  const last = leavingOut(model, steps);
  return last ? { type: "Sequence", pretokenizers: [...steps, last] } : sequence;
}
