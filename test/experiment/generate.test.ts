import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { generate } from "../../src/experiment/generate.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const demo = join(import.meta.dirname, "..", "..", "experiments", "demo");
const fixture = join(import.meta.dirname, "..", "fixtures", "generate", "texts.json");

/** What lm_eval generates (test/fixtures/generate/make-texts.py). */
const requests = JSON.parse(await readFile(fixture, "utf8")) as {
  readonly model: string;
  readonly prompts: string[];
  readonly until: string[];
  readonly maxNewTokens: number;
  readonly texts: string[];
}[];

/** What transformers generates in chats (test/fixtures/generate/make-texts.py). */
const chatFixture = join(import.meta.dirname, "..", "fixtures", "generate", "chats.json");

interface Chats {
  readonly model: string;
  readonly template: string;
  readonly prompts: string[];
  readonly maxNewTokens: number;
  readonly texts: string[];
}

function generateAfter(prompt: string, maxNewTokens: number): Promise<unknown> {
  return generate({ model: join(demo, "base"), prompts: ["The fox", prompt], maxNewTokens });
}

describe("generate", () => {
  const engines = ["ggml", "tfjs"] as const;
  test.each(engines.flatMap((engine) => requests.map((request) => ({ engine, ...request }))))(
    "gives the texts of lm_eval: $model on $engine, until $until",
    async ({ engine, model, prompts, until, maxNewTokens, texts }) => {
      const notices: string[] = [];
      const onNotice = (text: string): void => void notices.push(text);
      const options = { prompts, until, maxNewTokens, engine, precision: "f32", onNotice } as const;
      const found = await generate({ model: join(demo, model), ...options });
      const isLong = prompts.some(({ length }) => length > 1000);
      const cut = `1 of ${prompts.length} prompts lose their beginning, as in lm_eval: there is room for ${256 - maxNewTokens} tokens, and for ${maxNewTokens} new ones (--max-new-tokens)`;
      expect(notices).toEqual(isLong ? [cut] : []);
      expect(found.map(({ text }) => text)).toEqual(texts);
      expect(found.map(({ isCut }) => isCut)).toEqual(prompts.map(({ length }) => length > 1000));
    },
  );

  test("gives the texts of transformers for prompts as turns of a chat", async () => {
    const { model, template, prompts, maxNewTokens, texts } = JSON.parse(await readFile(chatFixture, "utf8")) as Chats;
    const folder = join(await temporaryFolder(), model);
    await cp(join(demo, model), folder, { recursive: true });
    const options = { model: folder, prompts, maxNewTokens, engine: "ggml", precision: "f32" } as const;
    await expect(generate({ ...options, applyChatTemplate: true })).rejects.toThrow(
      "chat_template: expected a template here or in chat_template.jinja; leave out --apply-chat-template, or use a model that was trained on chats",
    );
    await writeFile(join(folder, "chat_template.jinja"), template);
    const found = await generate({ ...options, applyChatTemplate: true });
    expect(found.map(({ text }) => text)).toEqual(texts);
    expect((await generate(options)).map(({ text }) => text)).not.toEqual(texts);
  });

  test("refuses what no text follows, in a sentence", async () => {
    await expect(generateAfter("", 8)).rejects.toThrow(
      "prompt 2: '': expected at least one token, found none; give it some text",
    );
    await expect(generateAfter("lives", 256)).rejects.toThrow(
      "expected fewer new tokens than the 256 positions of the model, since the prompt needs some, found 256",
    );
  });

  test("says of a folder without a model what it is not", async () => {
    const folder = await temporaryFolder();
    await expect(generate({ model: folder, prompts: ["a"] })).rejects.toThrow(
      `${join(folder, "config.json")}: no such file; expected a Hugging Face model folder`,
    );
  });

  test("opens nothing where there is no prompt", async () => {
    expect(await generate({ model: "/nowhere", prompts: [] })).toEqual([]);
  });
});
