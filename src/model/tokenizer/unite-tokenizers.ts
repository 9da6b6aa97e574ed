/** A tokenizer with the added tokens of other models behind its own. */
import { isJsonObject, type JsonObject } from "../../files/json-object.ts";
import { withMembers } from "../../files/json-members.ts";
import { idsOf } from "./added-tokens.ts";
import { loadedTokenizer } from "./loaded-tokenizer.ts";
import { type AddedToken, withFlags } from "./special-tokens.ts";
import { TOKENIZER_CONFIG_FILE, TOKENIZER_FILE, type TokenizerFiles } from "./tokenizer-file.ts";

/** Files of a tokenizer, with its chat template, if there is one. */
export interface WithTemplate {
  readonly files: TokenizerFiles;
  readonly template: string | undefined;
}

/** The same, and the number of rows that its model's embeddings have. */
export interface EmbeddedTokenizer extends WithTemplate {
  readonly rows: number;
}

/**
 * The base's files with the tokens that were added to others and that it lacks, in the order of the others and of their ids
 * there; a token without a row of embeddings is nothing that a model learned, and is left out. The ids follow those of the
 * base, as transformers counts them. A base without a chat template gets the first that another has.
 */
export function uniteTokenizers(
  { files: base, template }: WithTemplate,
  others: readonly EmbeddedTokenizer[],
): TokenizerFiles {
  const fresh = tokensToAdd(base, others);
  const first = sizeOf(base);
  const counted = loadedTokenizer(extended(base, fresh, (_, i) => first + i)).file.added_tokens;
  // Whatever ids are written, transformers counts on in its own way.
  const ids = new Map(counted.map(({ content, id }) => [content, Number(id)]));
  const united = extended(base, fresh, ({ content }, i) => ids.get(content) ?? first + i);
  const found = others.find((other) => other.template !== undefined)?.template;
  if (template !== undefined || found === undefined) return united;
  return { ...united, config: { ...united.config, chat_template: found } };
}

/** Those of the base's files whose texts differ, by name: what is not about added tokens stays as it was written. */
export function unitedTexts(
  base: TokenizerFiles,
  united: TokenizerFiles,
  texts: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const fields = ["added_tokens_decoder", "chat_template"].filter((name) => united.config[name] !== base.config[name]);
  const changes: readonly (readonly [name: string, members: JsonObject])[] = [
    [TOKENIZER_FILE, { added_tokens: united.file.added_tokens }],
    [TOKENIZER_CONFIG_FILE, Object.fromEntries(fields.map((name) => [name, united.config[name]]))],
    ["added_tokens.json", united.addedTokens ?? {}],
  ];
  const changed = changes.flatMap(([name, members]): [string, string][] => {
    const text = texts.get(name);
    return text === undefined || Object.keys(members).length === 0 ? [] : [[name, withMembers(text, members)]];
  });
  return new Map(changed);
}

function tokensToAdd(base: TokenizerFiles, others: readonly EmbeddedTokenizer[]): readonly AddedToken[] {
  const own = loadedTokenizer(base).file;
  const known = new Set([...idsOf(own.model.vocab).keys(), ...own.added_tokens.map(({ content }) => content)]);
  const fresh: AddedToken[] = [];
  for (const { files, rows } of others) {
    const tokens = loadedTokenizer(files).file.added_tokens.toSorted((a, b) => Number(a.id) - Number(b.id));
    for (const token of tokens) {
      if (known.has(token.content) || Number(token.id) >= rows) continue;
      known.add(token.content);
      fresh.push(withFlags(token));
    }
  }
  return fresh;
}

/** One more than the largest id that is written. */
function sizeOf({ file }: TokenizerFiles): number {
  const ids = [...idsOf(file.model.vocab).values(), ...file.added_tokens.map(({ id }) => Number(id))];
  return ids.reduce((size, id) => Math.max(size, id + 1), 0);
}

/** The files with more added tokens, wherever their format has them: with flags in two places, ids alone in a third. */
function extended(
  base: TokenizerFiles,
  tokens: readonly AddedToken[],
  idOf: (token: AddedToken, index: number) => number,
): TokenizerFiles {
  const { file, config, addedTokens } = base;
  const decoder = config["added_tokens_decoder"];
  const entries = tokens.map((token, i) => ({ id: idOf(token, i), ...token }));
  const byId = entries.map(({ id, ...token }) => [String(id), token] as const);
  const ids = entries.map(({ id, content }) => [content, id] as const);
  return {
    ...base,
    file: { ...file, added_tokens: [...file.added_tokens, ...entries] },
    config: {
      ...config,
      ...(isJsonObject(decoder) && { added_tokens_decoder: { ...decoder, ...Object.fromEntries(byId) } }),
    },
    addedTokens: addedTokens && { ...addedTokens, ...Object.fromEntries(ids) },
  };
}
