import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareTokenizers } from "../../../src/model/tokenizer/compare-tokenizers.ts";
import type { TokenizerDifferences } from "../../../src/model/tokenizer/protocol.ts";
import { TokenEncoder } from "../../../src/model/tokenizer/token-encoder.ts";
import type { TokenizerFiles } from "../../../src/model/tokenizer/tokenizer-file.ts";
import { type Draft, sayingAnother, sayingTheSame, someOf } from "./rewritten-tokenizers.ts";
import { folderOf, names } from "./tokenizer-folders.ts";

const numRuns = 60;
const equal: TokenizerDifferences = { faults: [], notices: [], leftOut: [], lacking: [], moved: [] };

/** With a normalizer that only replaces spaces, too, as Gemma has. */
const kinds = [...names, "spaces-replaced"] as const;

function draftOf(kind: (typeof kinds)[number]): Draft {
  const from = kind === "spaces-replaced" ? "metaspace-bos" : kind;
  const draft = JSON.parse(readFileSync(join(folderOf(from), "tokenizer.json"), "utf8")) as Draft;
  if (from !== kind) draft["normalizer"] = { type: "Replace", pattern: { String: " " }, content: "▁" };
  return draft;
}

function changed(kind: (typeof kinds)[number], changes: readonly (readonly [string, number])[]): TokenizerFiles {
  const draft = draftOf(kind);
  for (const [name, n] of changes) ({ ...sayingTheSame, ...sayingAnother })[name]!(draft, n);
  return filesOf(draft);
}

function filesOf(draft: Draft): TokenizerFiles {
  const config = { tokenizer_class: "PreTrainedTokenizerFast", bos_token: "<s>", eos_token: "</s>" };
  return { file: draft, config, model: { model_type: "llama" } };
}

/** All but the rows. */
function compared(base: TokenizerFiles, other: TokenizerFiles): TokenizerDifferences {
  const { ids: _rows, ...found } = compareTokenizers(base, other);
  return found;
}

/** What a tokenizer has otherwise once its file is changed. */
function differences(
  change: (draft: Draft) => void,
  kind: (typeof kinds)[number] = "byte-level-bos",
): TokenizerDifferences {
  const draft = draftOf(kind);
  change(draft);
  return compared(changed(kind, []), filesOf(draft));
}

const texts = fc.array(
  fc.array(
    fc.constantFrom("The", " fox", "a", " ", "  ", "<s>", "</s>", "▁", "in", "2024", "é", "\n", "s", "nest", "X"),
    { maxLength: 8 },
  ),
  { minLength: 3, maxLength: 6 },
);

describe.each(kinds)("%s", (kind) => {
  test("is the same however it is written", () => {
    fc.assert(
      fc.property(someOf(sayingTheSame), (changes) => {
        expect(compared(changed(kind, []), changed(kind, changes))).toEqual(equal);
      }),
      { numRuns },
    );
  });

  test("is another after any real change", () => {
    fc.assert(
      fc.property(
        someOf(sayingTheSame),
        fc.constantFrom(...Object.keys(sayingAnother)),
        fc.nat(500),
        (same, name, n) => {
          if (name === "nothing in front" && kind === "byte-level") return;
          const comparison = compared(changed(kind, []), changed(kind, [...same, [name, n]]));
          expect(comparison, name).not.toEqual(equal);
        },
      ),
      { numRuns },
    );
  });

  test("gives the ids of all that are equal to it", () => {
    fc.assert(
      fc.property(someOf({ ...sayingTheSame, ...sayingAnother }), texts, (changes, rows) => {
        const [base, other] = [changed(kind, []), changed(kind, changes)];
        fc.pre(Object.values(compared(base, other)).every(({ length }) => length === 0));
        const [expected, found] = [new TokenEncoder(base), new TokenEncoder(other)];
        for (const row of rows) expect(found.encode(row.join(""))).toEqual(expected.encode(row.join("")));
      }),
      { numRuns },
    );
  });
});

describe("a difference is named:", () => {
  test.each<[string, (draft: Draft) => void, string]>([
    ["a token", ({ model }) => swap(model.vocab, "ab", "!"), "token 3: '!' in the base, 'ab' here"],
    ["a word more", ({ model }) => void (model.vocab["ab"] = 320), "token 320: none in the base, 'ab' here"],
    ["a merge", ({ model }) => void model.merges.splice(2, 1, ["a", "b"]), "merge 2: 'e s' in the base, 'a b' here"],
    [
      "a setting",
      ({ model }) => void (model["ignore_merges"] = true),
      "model.ignore_merges: not set in the base, true here",
    ],
    [
      "a normalizer",
      (draft) => void (draft["normalizer"] = { type: "NFC" }),
      'normalizer: null in the base, {"type":"NFC"} here',
    ],
    [
      "a pre-tokenizer",
      (draft) => void (draft["pre_tokenizer"] = { type: "WhitespaceSplit" }),
      `pre_tokenizer: {"type":"ByteLevel","add_prefix_space":false,`,
    ],
  ])("%s", (_, change, expected) => {
    const [first] = differences(change).faults;
    expect(first?.slice(0, expected.length)).toBe(expected);
  });

  test.each<[string, (draft: Draft) => void, string]>([
    [
      "nothing in front of texts",
      (draft) => void (draft["post_processor"] = null),
      "post_processor: [1, text] in the base, [text] here",
    ],
    [
      "flags of an added token",
      (draft) => void (draft.added_tokens[1]!["rstrip"] = true),
      "added token '<s>': no flags in the base, rstrip here",
    ],
  ])("as a notice, %s", (_, change, expected) => {
    expect(differences(change)).toEqual({ ...equal, notices: [expected] });
  });

  test("as a notice, other spaces in front", () => {
    const preTokenizer = { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false };
    const spaces = { normalizer: null, pre_tokenizer: preTokenizer };
    const notices = ["spaces before a text: each in the base, first here"];
    expect(differences((draft) => Object.assign(draft, spaces), "metaspace-bos")).toEqual({ ...equal, notices });
  });

  test("as tokens that one lacks, those that were added", () => {
    expect(differences(addToken)).toEqual({ ...equal, leftOut: ["<x>"] });
    const draft = draftOf("byte-level-bos");
    addToken(draft);
    expect(compared(filesOf(draft), changed("byte-level-bos", []))).toEqual({ ...equal, lacking: ["<x>"] });
  });

  test("as tokens that moved, words of other ids", () => {
    expect(differences(({ model }) => swap(model.vocab, "!", '"'))).toEqual({ ...equal, moved: ["!", '"'] });
  });
});

function addToken(draft: Draft): void {
  draft.added_tokens.push({ id: 320, content: "<x>", special: true });
}

function swap(vocab: Record<string, number>, a: string, b: string): void {
  const id = vocab[a];
  vocab[a] = vocab[b]!;
  if (id === undefined) delete vocab[b];
  else vocab[b] = id;
}
