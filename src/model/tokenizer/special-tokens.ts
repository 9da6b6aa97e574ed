/** Which tokens a folder names beside its vocabulary, gathered as transformers 5 does (`_from_pretrained`). */
import { isJsonObject, type JsonObject } from "../../files/json-object.ts";
import type { TokenizerFiles } from "./tokenizer-file.ts";

/** A token that is found in a text before anything else is done with the text. */
export interface AddedToken {
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/** Tokens that a class of transformers has where the files name none, by attribute, and more without one. */
export interface TokenDefaults {
  readonly named: Readonly<Record<string, string>>;
  readonly extra?: readonly string[] | ((settings: JsonObject) => readonly string[]);
}

export interface SpecialTokens {
  /** With the flags that a file gives them, in the order of their ids there. */
  readonly written: readonly AddedToken[];
  /** By attribute, such as `bos_token`. */
  readonly named: ReadonlyMap<string, AddedToken>;
  readonly extra: readonly AddedToken[];
}

/** The attributes that every class has; their order decides the ids of tokens that are new. */
export const attributes = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

export function specialTokensOf(files: TokenizerFiles, defaults: TokenDefaults): SpecialTokens {
  const { config, specialTokens } = files;
  const isOld = !isJsonObject(config["added_tokens_decoder"]);
  // tokenizer_config.json says all since 2023; before, it was spread over several files.
  const settings: JsonObject = { ...config, ...(isOld && specialTokens) };
  const written = isOld ? writtenBefore(files, settings) : writtenSince(config["added_tokens_decoder"] as JsonObject);
  const known = new Map(written.map((token) => [token.content, token]));
  const parse = (value: unknown): AddedToken | undefined => {
    const token = tokenOf(value);
    return token && (known.get(token.content) ?? token);
  };
  const extra = settings["extra_special_tokens"] || settings["additional_special_tokens"];
  const others = Object.entries(settings).filter(([name]) => name.endsWith("_token") && !attributes.includes(name));
  const values = { ...defaults.named, ...settings };
  const all = [
    ...attributes.map((name) => [name, values[name]] as const),
    ...Object.entries(defaults.named).filter(([name]) => !attributes.includes(name)),
    ...others,
    ...(isJsonObject(extra) ? Object.entries(extra) : []),
  ];
  const named = new Map<string, AddedToken>();
  for (const [name, value] of all) {
    const token = parse(value);
    if (token) named.set(name, token);
  }
  const { extra: own = [] } = defaults;
  const more = [...(Array.isArray(extra) ? extra : []), ...(typeof own === "function" ? own(settings) : own)];
  return { written, named, extra: more.flatMap((value) => parse(value) ?? []) };
}

/** The token of one entry of `added_tokens`, with the flags that are left out there. */
export function withFlags(token: JsonObject): AddedToken {
  const special = token["special"] === true;
  return {
    content: String(token["content"]),
    single_word: token["single_word"] === true,
    lstrip: token["lstrip"] === true,
    rstrip: token["rstrip"] === true,
    normalized: typeof token["normalized"] === "boolean" ? token["normalized"] : !special,
    special,
  };
}

function tokenOf(value: unknown): AddedToken | undefined {
  if (typeof value === "string") return withFlags({ content: value, special: true });
  // A token that has an attribute is special, whatever its entry says.
  return isJsonObject(value) && typeof value["content"] === "string"
    ? withFlags({ ...value, special: true })
    : undefined;
}

function writtenSince(decoder: JsonObject): AddedToken[] {
  return byId(Object.entries(decoder).map(([id, token]) => [Number(id), token]));
}

function writtenBefore({ file, addedTokens = {} }: TokenizerFiles, settings: JsonObject): AddedToken[] {
  const names = [...attributes.map((name) => settings[name]), settings["extra_special_tokens"]].flat();
  const special = new Set(names.map((value) => tokenOf(value)?.content));
  return byId([
    ...Object.entries(addedTokens).map(
      ([content, id]) => [Number(id), { content, special: special.has(content) }] as const,
    ),
    ...file.added_tokens.map((token) => [Number(token.id), token] as const),
  ]);
}

/** A later entry takes the place of an earlier one. */
function byId(entries: readonly (readonly [id: number, token: unknown])[]): AddedToken[] {
  const ordered = [...new Map(entries)].toSorted(([a], [b]) => a - b);
  return ordered.flatMap(([, token]) => (isJsonObject(token) && "content" in token ? withFlags(token) : []));
}
