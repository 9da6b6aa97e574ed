/** What the tokenizers' process does with a question. */
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { canonicalTokenizer, digestOf } from "./canonical.ts";
import { ChatTemplate } from "./chat/chat-template.ts";
import { compareTokenizers } from "./compare-tokenizers.ts";
import { checkWhole } from "./fallen-apart.ts";
import type { Answer, CompareRequest, ReadRequest, RenderRequest, Request, WordsRequest } from "./protocol.ts";
import { TokenDecoder } from "./token-decoder.ts";
import { TokenEncoder, type TokenizerOptions } from "./token-encoder.ts";
import { classOfOtherKind, unknownClass } from "./tokenizer-classes.ts";
import { sourceFiles, sourceTexts } from "./source-files.ts";
import { readTokenizerFiles, TOKENIZER_CONFIG_FILE, TOKENIZER_FILE, type TokenizerFiles } from "./tokenizer-file.ts";
import { checkIds } from "./vocabulary.ts";

interface Kept {
  readonly folder: string;
  readonly files: TokenizerFiles;
  readonly encoder: TokenEncoder;
  /** Read when it is first asked for, as the next. */
  template?: ChatTemplate;
  decoder?: TokenDecoder;
}

/** Answers questions about the tokenizers that it keeps; whatever a stranger's file brings about is an answer too. */
export class Answering {
  readonly #kept = new Map<number, Kept>();
  /** What models were compared with last: the next one mostly is compared with the same. */
  #reference: { readonly key: string; readonly files: TokenizerFiles } | undefined;

  async answer(request: Request): Promise<Answer> {
    if (request.kind === "render") return this.#render(request);
    if ("tokenizer" in request) return this.#turn(request);
    try {
      if (request.kind === "write") return { kind: "files", files: await sourceTexts(request) };
      return await (request.kind === "read" ? this.#read(request) : this.#compare(request));
    } catch (error) {
      if (error instanceof UserError) return { kind: "refusal", sentence: error.message };
      const sentence = `${join(request.folder, TOKENIZER_FILE)}: not supported: ${reasonOf(error)}`;
      return { kind: "refusal", sentence };
    }
  }

  forget(tokenizer: number): void {
    this.#kept.delete(tokenizer);
  }

  /** Texts to ids, or ids to text. */
  #turn(request: WordsRequest): Answer {
    const kept = this.#keptAs(request.tokenizer);
    const { encoder, files } = kept;
    try {
      if (request.kind === "encode") return { kind: "row", row: encoder.encodeRow(request.row) };
      if (request.kind === "prompt") return { kind: "ids", ids: encoder.encode(request.text) };
      kept.decoder ??= new TokenDecoder(encoder.loaded, files);
      return { kind: "text", text: kept.decoder.decode(request.ids) };
    } catch (error) {
      return { kind: "failure", reason: reasonOf(error) };
    }
  }

  async #render({ tokenizer, chat }: RenderRequest): Promise<Answer> {
    const kept = this.#keptAs(tokenizer);
    const { folder, files, encoder } = kept;
    try {
      kept.template ??= await ChatTemplate.read(folder, files.config, encoder.loaded.named);
      return { kind: "text", text: kept.template.render(chat) };
    } catch (error) {
      if (error instanceof UserError) return { kind: "refusal", sentence: error.message };
      return { kind: "failure", reason: reasonOf(error) };
    }
  }

  #keptAs(tokenizer: number): Kept {
    const kept = this.#kept.get(tokenizer);
    if (!kept) throw new Error(`tokenizer: none is kept as ${tokenizer}`);
    return kept;
  }

  async #read({ options, keepAs, ...source }: ReadRequest): Promise<Answer> {
    const { folder } = source;
    // Whoever compares reads first, and files may have changed since.
    this.#reference = undefined;
    const files = await sourceFiles(source);
    const encoder = new TokenEncoder(files, options);
    const canonical = canonicalTokenizer(encoder.loaded);
    checkBos(folder, encoder, options);
    checkWhole(encoder);
    if (keepAs !== undefined) this.#kept.set(keepAs, { folder, files, encoder });
    const { size, textSize } = encoder.range;
    const doubt = doubtOf(files);
    const facts = { digest: digestOf(canonical), vocabularySize: size, textVocabularySize: textSize, doubt };
    return { kind: "facts", facts };
  }

  async #compare({ reference, folder, rows }: CompareRequest): Promise<Answer> {
    const key = JSON.stringify(reference);
    if (this.#reference?.key !== key) this.#reference = { key, files: await sourceFiles(reference) };
    const { files: expected } = this.#reference;
    const found = await readTokenizerFiles(folder);
    for (const { file } of [expected, found]) checkIds(file);
    // An adapter has no config.json: it is of the base's class.
    const { model = expected.model } = found;
    const { called, rows: expectedRows } = reference;
    const options = { called, rows: [expectedRows, rows] as const };
    return { kind: "comparison", comparison: compareTokenizers(expected, { ...found, model }, options) };
  }
}

/** Why the tokenizer that transformers makes of a folder may give some texts other ids, in a clause. */
function doubtOf(files: TokenizerFiles): string | undefined {
  const taken = "texts are tokenised as tokenizer.json says";
  const name = unknownClass(files);
  if (name !== undefined)
    return `tokenizer_class ${show(name)} is not known here: ${taken}, rows may score otherwise than in lm_eval`;
  const other = classOfOtherKind(files);
  if (!other) return undefined;
  const found = show(files.file.model["type"]);
  return `in transformers 5 its ${other.name} takes every vocabulary for one of ${other.kind}, and tokenizer.json has ${found}: ${taken}, rows score otherwise than in lm_eval`;
}

function checkBos(folder: string, { hasBos }: TokenEncoder, { addBos = false }: TokenizerOptions): void {
  if (!addBos || hasBos) return;
  throw new UserError(`${join(folder, TOKENIZER_CONFIG_FILE)}: expected a bos_token, because addBos asks for it`);
}

/** The library's words, which may quote the file, in one short line. */
function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return /^[\p{L}\p{N}\p{P}\p{S} ]{1,200}$/u.test(message) ? message : show(message);
}
