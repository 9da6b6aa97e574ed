import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { Tokenizer } from "../../../src/model/tokenizer/tokenizer.ts";
import { altered, type Changeable, folderOf } from "./tokenizer-folders.ts";

/** Splits at a pattern that takes 2^n steps for a text of n letters. */
const endless = { type: "Split", pattern: { Regex: "(a+)+$" }, behavior: "Isolated", invert: false };
const row = { context: `${"a".repeat(60)}!`, continuations: [" b"] };

const withEndlessPattern = (): Promise<string> =>
  altered("byte-level", "tokenizer.json", (json) => (json.pre_tokenizer = endless));

async function refusal(folder: string): Promise<string> {
  const error: unknown = await Tokenizer.load(folder).catch((reason: unknown) => reason);
  if (!(error instanceof UserError)) throw new Error(`expected a UserError, found ${String(error)}`);
  return error.message.replace(folder, "x");
}

/** A post-processor that begins every text with `<s>`, which has the id 1. */
const specials = (ids: unknown): unknown => ({
  type: "TemplateProcessing",
  single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
  pair: [{ Sequence: { id: "A", type_id: 0 } }],
  special_tokens: { "<s>": { id: "<s>", ids, tokens: ["<s>"] } },
});

/** Of the fixture byte-level-bos; tokens 0 to 2 are added ones. */
describe("ids", () => {
  const bad = [-1, 1e12, 2 ** 31, 2 ** 32 + 5, 7.5, "7", null, [7], {}];
  test.each(bad)("that are %j are refused in the vocabulary", async (id) => {
    const folder = await altered("byte-level-bos", "tokenizer.json", ({ model }) => (model.vocab["a"] = id));
    expect(await refusal(folder)).toMatch(
      /^x\/tokenizer\.json: model\.vocab: expected a whole number from 0 to 2147483647 for the token 'a', found /,
    );
  });

  test.each(bad)("that are %j are refused of added tokens", async (id) => {
    const folder = await altered("byte-level-bos", "tokenizer.json", (json) =>
      json.added_tokens.push({ ...json.added_tokens[0]!, content: "<x>", id }),
    );
    expect(await refusal(folder)).toMatch(
      /^x\/tokenizer\.json: not supported: the id of the added token '<x>': expected a whole number from 0 to /,
    );
  });

  test.each<[string, (json: Changeable) => void, string]>([
    [
      "another id than before",
      (json) => (json.added_tokens[1]!.id = 7),
      "the id of the added token '<s>': expected 1 as before, found 7",
    ],
    [
      "the id of another token",
      (json) => json.added_tokens.push({ ...json.added_tokens[0]!, content: "<x>", id: 7 }),
      "the id of the added token '<x>': 7 is the id of another token",
    ],
    ...[[-1], [2], ["1"], [1e12], [1, 1], [], null].map((ids): [string, (json: Changeable) => void, string] => [
      `post-processed ids ${JSON.stringify(ids)}`,
      (json) => (json.post_processor = specials(ids)),
      "post_processor: expected the token '<s>' with its id 1, found ",
    ]),
    [
      "a post-processed token that nobody knows",
      (json) => (json.post_processor = { type: "BertProcessing", cls: ["<s>", 1], sep: ["<none>", 9] }),
      "post_processor: expected the token '<none>' with its id undefined, found 9",
    ],
  ])("%s is refused, where the reference implementation would give others in silence", async (_, change, sentence) => {
    const folder = await altered("byte-level-bos", "tokenizer.json", change);
    expect(await refusal(folder)).toContain(`x/tokenizer.json: not supported: ${sentence}`);
  });

  test("may be shared or left out, and a token may have any name", async () => {
    const folder = await altered("byte-level-bos", "tokenizer.json", ({ model }) => {
      model.vocab["b"] = model.vocab["a"];
      for (const name of ["__proto__", "constructor"]) {
        Object.defineProperty(model.vocab, name, { value: 900, enumerable: true });
      }
    });
    await using tokenizer = await Tokenizer.load(folder);
    expect(tokenizer.vocabularySize).toBe(901);
    const [tokenised] = await tokenizer.encode([{ context: "a", continuations: ["b"] }]);
    expect(tokenised!.continuations[0]).toEqual(tokenised!.context.subarray(1));
  });
});

describe("a tokenizer that never ends", () => {
  test("is given up in a sentence that names file and text, while everything else goes on", async () => {
    await using tokenizer = await Tokenizer.load(await withEndlessPattern());
    let turns = 0;
    const clock = setInterval(() => turns++, 100);
    const encoded = tokenizer.encode([{ context: "b", continuations: [" b"] }, row]);
    await expect(encoded).rejects.toThrow(
      /^\S+tokenizer\.json: cannot tokenise 'a+!': it takes more than 8 s; use another tokenizer or leave out the text$/,
    );
    await expect(encoded).rejects.toThrow(UserError);
    clearInterval(clock);
    expect(turns).toBeGreaterThan(20);
  });

  test("ends at once with a signal", async () => {
    await using tokenizer = await Tokenizer.load(await withEndlessPattern());
    const controller = new AbortController();
    const encoded = tokenizer.encode([row], controller.signal);
    await sleep(300);
    controller.abort("enough");
    await expect(encoded).rejects.toBe("enough");
  });

  test("does not outlive the program that uses it, even where that one is killed", async ({ skip }) => {
    if (process.platform !== "linux") skip("the processes of a process are listed on Linux only");
    const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
    const script = join(import.meta.dirname, "tokenise-for-ever.ts");
    const parent = spawn(process.execPath, ["--import", loader, script, await withEndlessPattern(), row.context]);
    await once(parent.stdout, "data");
    const children = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, "utf8").trim().split(" ");
    const tokenizers = children.filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("tokenizer-process"),
    );
    expect(tokenizers).toHaveLength(1);
    await sleep(300);
    parent.kill("SIGKILL");
    await expect.poll(() => isAlive(Number(tokenizers[0]))).toBe(false);
  });
});

test("a tokenizer that makes pieces of length 0 is refused before it is used", async () => {
  const folder = await altered("byte-level", "tokenizer.json", (json) => {
    json.pre_tokenizer = { type: "FixedLength", length: 0 };
  });
  expect(await refusal(folder)).toBe(
    "x/tokenizer.json: not supported: pre_tokenizer: expected a length above 0, found 0; use another tokenizer",
  );
});

test("a tokenizer that makes texts that grow a millionfold is refused and costs nobody's memory", async () => {
  const replace = { type: "Replace", pattern: { String: "a" }, content: "a".repeat(32) };
  const folder = await altered("byte-level", "tokenizer.json", (json) => {
    json.normalizer = { type: "Sequence", normalizers: Array.from({ length: 4 }, () => replace) };
  });
  await using tokenizer = await Tokenizer.load(folder);
  const before = process.memoryUsage().rss;
  const encoded = tokenizer.encode([row]);
  await expect(encoded).rejects.toThrow(/tokenizer\.json: cannot tokenise 'a+!': .*; use another tokenizer/);
  await expect(encoded).rejects.toThrow(UserError);
  expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
});

test("a tokenizer goes on when another has ended their process", async () => {
  await using endless = await Tokenizer.load(await withEndlessPattern());
  await using sound = await Tokenizer.load(folderOf("byte-level"));
  const expected = await sound.encode([row, { context: "b", continuations: [" c"] }]);
  const controller = new AbortController();
  const encoded = endless.encode([row], controller.signal);
  const meanwhile = sound.encode([row, { context: "b", continuations: [" c"] }]);
  controller.abort("enough");
  await expect(encoded).rejects.toBe("enough");
  expect(await meanwhile).toEqual(expected);
  expect(await sound.encode([row])).toEqual(expected.slice(0, 1));
});

function isAlive(pid: number): boolean {
  try {
    // A zombie that nobody waited for is dead.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
