import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { endIdsOf } from "../../src/generate/end-ids.ts";
import { temporaryFolder } from "../temporary-folder.ts";

async function endIds(config: object, generation?: object): Promise<number[]> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  if (generation) await writeFile(join(folder, "generation_config.json"), JSON.stringify(generation));
  return [...(await endIdsOf(folder))];
}

describe("endIdsOf", () => {
  test.each<[object, object | undefined, number[]]>([
    [{ eos_token_id: 7 }, { eos_token_id: [1, 5] }, [1, 5]],
    [{ eos_token_id: 7 }, { eos_token_id: 3 }, [3]],
    [{ eos_token_id: 7 }, {}, []],
    [{ eos_token_id: 7 }, undefined, [7]],
    [{ model_type: "llama", eos_token_id: null }, undefined, []],
    [{ model_type: "llama" }, undefined, [2]],
    [{ model_type: "qwen2" }, undefined, []],
  ])("config.json %j and generation_config.json %j give %j", async (config, generation, expected) => {
    expect(await endIds(config, generation)).toEqual(expected);
  });

  test.each([["2"], [-1], [1.5], [[2, "3"]]])("refuses %j in a sentence", async (eos_token_id) => {
    await expect(endIds({ eos_token_id })).rejects.toThrow(
      /config\.json: eos_token_id: expected a token id, a list of them or null, found/,
    );
  });
});
