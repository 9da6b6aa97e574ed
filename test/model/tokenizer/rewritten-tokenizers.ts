/** Ways of writing a tokenizer.json otherwise: some say the same, some do not. */
import * as fc from "fast-check";
import type { JsonObject } from "../../../src/files/json-object.ts";
import { normalizerForLibrary } from "../../../src/model/tokenizer/normalizers.ts";

interface Added {
  id: number;
  content: string;
  [flag: string]: unknown;
}

/** A tokenizer.json that is changed in place. */
export interface Draft {
  model: { vocab: Record<string, number>; merges: (string | string[])[]; [setting: string]: unknown };
  added_tokens: Added[];
  [part: string]: unknown;
}

/** `n` is any whole number. */
type Change = (draft: Draft, n: number) => void;

const inSequence =
  (part: string, key: string): Change =>
  (draft) => {
    draft[part] = { type: "Sequence", [key]: draft[part] ? [draft[part]] : [] };
  };

const setting =
  (name: string, value: unknown): Change =>
  (draft) =>
    void (draft.model[name] = value);

/** None of these changes an id. */
export const sayingTheSame: Readonly<Record<string, Change>> = {
  "merges as strings": ({ model }) => void (model.merges = pairs(model.merges).map((pair) => pair.join(" "))),
  "merges as pairs": ({ model }) => void (model.merges = pairs(model.merges)),
  "another order of the vocabulary": ({ model }, n) => {
    const entries = Object.entries(model.vocab);
    model.vocab = Object.fromEntries([...entries.slice(n % entries.length), ...entries.slice(0, n % entries.length)]);
  },
  "no ignore_merges": ({ model }) => void delete model["ignore_merges"],
  "no dropout": setting("dropout", 0),
  "an empty prefix": setting("continuing_subword_prefix", ""),
  "an empty suffix": setting("end_of_word_suffix", ""),
  "no token for unknown parts, of which there are none": ({ model }) => {
    model["unk_token"] = null;
    model["fuse_unk"] = false;
  },
  "fuse_unk without unknown parts": setting("fuse_unk", true),
  "a normalizer in a sequence": inSequence("normalizer", "normalizers"),
  "a pre-tokenizer in a sequence": inSequence("pre_tokenizer", "pretokenizers"),
  "a post-processor in a sequence": inSequence("post_processor", "processors"),
  "a post-processor behind one that adds nothing": (draft) => {
    const bytes = { type: "ByteLevel", add_prefix_space: true, trim_offsets: false, use_regex: true };
    draft["post_processor"] = { type: "Sequence", processors: [bytes, draft["post_processor"]].filter(Boolean) };
  },
  "offsets trimmed otherwise": (draft) => {
    const step = draft["pre_tokenizer"] as JsonObject | null;
    if (step?.["type"] === "ByteLevel")
      draft["pre_tokenizer"] = { ...step, trim_offsets: step["trim_offsets"] !== true };
  },
  "the pattern of ByteLevel written out": (draft, n) => {
    const step = draft["pre_tokenizer"] as JsonObject | null;
    if (step?.["type"] !== "ByteLevel" || step["use_regex"] !== true || step["add_prefix_space"] === true) return;
    const Regex = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
    const way = n % 2 === 0 ? { behavior: "Removed", invert: true } : { behavior: "Isolated", invert: n % 3 === 0 };
    const split = { type: "Split", pattern: { Regex }, ...way };
    draft["pre_tokenizer"] = { type: "Sequence", pretokenizers: [split, { ...step, use_regex: false }] };
  },
  "spaces replaced by the pre-tokenizer": (draft) => {
    if (JSON.stringify(normalizerForLibrary(draft["normalizer"])) !== onlySpaces) return;
    draft["normalizer"] = null;
    draft["pre_tokenizer"] = { type: "Metaspace", replacement: "▁", prepend_scheme: "never", split: false };
  },
  "another decoder, padding and truncation": (draft) =>
    void Object.assign(draft, { decoder: null, padding: null, version: "2" }),
  "added tokens in another order": (draft) => void (draft.added_tokens = draft.added_tokens.toReversed()),
  "normalized beside no normalizer": (draft) => {
    if (!draft["normalizer"]) for (const token of draft.added_tokens) token["normalized"] = true;
  },
};

const onlySpaces = JSON.stringify(normalizerForLibrary({ type: "Replace", pattern: { String: " " }, content: "▁" }));

/** Each of these changes the ids of some text. */
export const sayingAnother: Readonly<Record<string, Change>> = {
  "two merges in another order": ({ model }, n) => {
    const at = n % (model.merges.length - 1);
    model.merges.splice(at, 2, model.merges[at + 1]!, model.merges[at]!);
  },
  "a merge less": ({ model }, n) => void model.merges.splice(n % model.merges.length, 1),
  "a token of another name": ({ model }, n) => {
    const last = Object.keys(model.vocab)[(n % 20) + 3]!;
    model.vocab["renamed"] = model.vocab[last]!;
    delete model.vocab[last];
    model.merges = pairs(model.merges).filter((pair) => !pair.includes(last) && pair.join("") !== last);
  },
  "two tokens that change ids": ({ model }, n) => {
    const names = Object.keys(model.vocab).slice(3);
    const [a, b] = [names[n % names.length]!, names[(n + 1) % names.length]!];
    [model.vocab[a], model.vocab[b]] = [model.vocab[b]!, model.vocab[a]!];
  },
  "a token more": (draft) => void draft.added_tokens.push({ id: 5000, content: "<more>", special: true }),
  "an added token that takes the space before it": (draft) => void (draft.added_tokens[0]!["lstrip"] = true),
  "nothing in front": (draft) => void (draft["post_processor"] = null),
  "small letters": (draft) => void (draft["normalizer"] = { type: "Lowercase" }),
  digits: (draft) => {
    const own = draft["pre_tokenizer"] ? [draft["pre_tokenizer"]] : [];
    draft["pre_tokenizer"] = { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, ...own] };
  },
  "whole pieces before merges": setting("ignore_merges", true),
};

/** Some changes with the number that each is given. */
export const someOf = (changes: Readonly<Record<string, Change>>): fc.Arbitrary<readonly [string, number][]> =>
  fc.array(fc.tuple(fc.constantFrom(...Object.keys(changes)), fc.nat(10_000)), { maxLength: 6 });

export function pairs(merges: Draft["model"]["merges"]): string[][] {
  return merges.map((merge) => (typeof merge === "string" ? merge.split(" ") : merge));
}
