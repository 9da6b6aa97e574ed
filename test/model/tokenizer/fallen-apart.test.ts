import { expect, test } from "vitest";
import { Tokenizer } from "../../../src/model/tokenizer/tokenizer.ts";
import { refusal } from "../../refusal.ts";
import { folderOfKind, kinds } from "./token-kinds.ts";

/** Every letter becomes a piece of its own. */
const letters = { type: "Split", pattern: { Regex: "." }, behavior: "Isolated", invert: false };

test.each(Object.keys(kinds.folders))("a tokenizer whose words are whole is loaded: %s", async (kind) => {
  await using tokenizer = await Tokenizer.load(await folderOfKind(kind));
  expect(tokenizer.doubt).toBeUndefined();
});

test.each(Object.keys(kinds.folders).filter((kind) => kind !== "t5"))(
  "one that fell apart is refused: %s",
  async (kind) => {
    const folder = await folderOfKind(kind, ({ model, ...file }) => {
      const settings = model as Readonly<Record<string, unknown>>;
      // A Unigram has no merges to lose.
      return settings["type"] === "BPE"
        ? { ...file, model: { ...settings, merges: [] } }
        : { ...file, model, pre_tokenizer: letters };
    });
    const sentence = await refusal(Tokenizer.load(folder));
    expect(sentence.replace(folder, "x")).toMatch(
      /^x\/tokenizer\.json: not supported: it falls apart: the text "[A-Za-z]+" has a token of its own, and twice in a row it is given none longer than a letter; save the tokenizer anew, with its merges$/,
    );
  },
);
