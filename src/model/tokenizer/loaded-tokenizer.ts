/** What transformers 5 makes of the files of a folder: it is what lm_eval tokenises with, and not always what is written. */
import { type JsonObject } from "../../files/json-object.ts";
import { AddedTokens, idsOf } from "./added-tokens.ts";
import { attributes, type SpecialTokens, specialTokensOf, withFlags } from "./special-tokens.ts";
import { classOf, type TokenizerClass } from "./tokenizer-classes.ts";
import type { TokenizerFile, TokenizerFiles } from "./tokenizer-file.ts";

export interface PrefixToken {
  readonly text: string;
  readonly id: number;
  readonly isBos: boolean;
}

export interface LoadedTokenizer {
  /** In the form of tokenizer.json. */
  readonly file: TokenizerFile;
  /** Stands for an absent context: the beginning-of-sequence token, or the end-of-sequence token where there is none. */
  readonly prefix: PrefixToken | undefined;
  /** By attribute, such as `bos_token`: those that chat templates know. */
  readonly named: Readonly<Record<string, string>>;
  /** Whether special tokens are text where a text has them (`split_special_tokens`). */
  readonly hidesSpecial: boolean;
  /** A token that only fills batches up, which no vocabulary has: whatever its id is, no model learns it. */
  readonly padding: string | undefined;
}

/** Follows `AutoTokenizer.from_pretrained` of transformers 5 for the models that can be scored. */
export function loadedTokenizer(files: TokenizerFiles): LoadedTokenizer {
  return loadedAs(classOf(files), files);
}

/** What a class makes of the files, or one that takes tokenizer.json as it is where none is given. */
export function loadedAs(own: TokenizerClass | undefined, files: TokenizerFiles): LoadedTokenizer {
  const special = specialTokensOf(files, own ?? { named: {} });
  const added = addedTokens(files, own, special);
  const prefixOf = (attribute: string, isBos: boolean): PrefixToken | undefined => {
    const text = special.named.get(attribute)?.content;
    const id = text === undefined ? undefined : added.idOf(text);
    return text === undefined || id === undefined ? undefined : { text, id, isBos };
  };
  const bos = prefixOf("bos_token", true);
  const eos = prefixOf("eos_token", false);
  const rebuilt = own ? rebuild(files, own, special, bos, eos) : files.file;
  return {
    file: { ...rebuilt, added_tokens: added.list() },
    hidesSpecial: files.config["split_special_tokens"] === true,
    prefix: bos ?? eos,
    named: textsOf(special),
    padding: paddingOf(special, files.file),
  };
}

function textsOf({ named }: SpecialTokens): Record<string, string> {
  const texts = attributes.map((name) => [name, named.get(name)?.content] as const);
  return Object.fromEntries(texts.filter((entry): entry is [(typeof entry)[0], string] => entry[1] !== undefined));
}

function paddingOf({ named, extra }: SpecialTokens, { model }: TokenizerFile): string | undefined {
  const padding = named.get("pad_token")?.content;
  if (padding === undefined || idsOf(model.vocab).has(padding)) return undefined;
  const others = [...named].flatMap(([name, { content }]) => (name === "pad_token" ? [] : [content]));
  return [...others, ...extra.map(({ content }) => content)].includes(padding) ? undefined : padding;
}

function addedTokens(
  { file }: TokenizerFiles,
  own: TokenizerClass | undefined,
  { written, named, extra }: SpecialTokens,
): AddedTokens {
  const added = new AddedTokens(idsOf(file.model.vocab));
  if (!own) for (const token of file.added_tokens) added.add(withFlags(token));
  for (const token of written) added.add(token);
  for (const token of [...named.values(), ...extra]) {
    if (own?.resetsFlags) added.add(withFlags({ content: token.content, special: true }));
    else if (!added.has(token.content)) added.add(token);
  }
  return added;
}

function rebuild(
  { file, config }: TokenizerFiles,
  own: TokenizerClass,
  { named }: SpecialTokens,
  bos: PrefixToken | undefined,
  eos: PrefixToken | undefined,
): TokenizerFile {
  const { vocab, merges } = file.model;
  const { normalizer, type = "BPE" } = own;
  return {
    ...file,
    normalizer: typeof normalizer === "function" ? normalizer(file["normalizer"]) : normalizer,
    pre_tokenizer: own.preTokenizer(config),
    decoder: own.decoder(config),
    post_processor: processorOf(own, file, bos, eos),
    model: { type, ...own.model(named.get("unk_token")?.content ?? ""), vocab, merges },
  };
}

function processorOf(
  { addsBos, addsEos }: TokenizerClass,
  file: TokenizerFile,
  bos: PrefixToken | undefined,
  eos: PrefixToken | undefined,
): unknown {
  if (addsBos === undefined && addsEos === undefined) return file["post_processor"];
  if (addsBos && bos) return adding(bos, (text) => [special(bos), text]);
  return addsEos && eos ? adding(eos, (text) => [text, special(eos)]) : null;
}

function special({ text }: PrefixToken): JsonObject {
  return { SpecialToken: { id: text, type_id: 0 } };
}

/** A post-processor that adds one token. */
function adding({ text, id }: PrefixToken, around: (text: JsonObject) => JsonObject[]): JsonObject {
  const single = around({ Sequence: { id: "A", type_id: 0 } });
  const pair = [...single, { Sequence: { id: "B", type_id: 1 } }];
  return {
    type: "TemplateProcessing",
    single,
    pair,
    special_tokens: { [text]: { id: text, ids: [id], tokens: [text] } },
  };
}
