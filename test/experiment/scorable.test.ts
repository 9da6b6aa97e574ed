import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { whyUnscorable } from "../../src/experiment/scorable.ts";
import { modelTypes } from "../../src/model/architectures.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyConfig } from "../tiny-model.ts";

async function folderWith(file: string, content: object): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, file), JSON.stringify(content));
  return folder;
}

describe("whyUnscorable", () => {
  test("has nothing against a Llama, of which config.json is enough", async () => {
    expect(await whyUnscorable("org/model", await folderWith("config.json", tinyConfig()))).toBeUndefined();
    expect(await whyUnscorable("org/model", join(await temporaryFolder(), "absent"))).toBe(
      "org/model/config.json: no such file; expected a Hugging Face model folder",
    );
  });

  test("names the family, the adapter, or the setting that stands against it", async () => {
    const bart = await folderWith("config.json", { model_type: "bart" });
    expect(await whyUnscorable("facebook/bart-large", bart)).toBe(
      `facebook/bart-large is a bart model; evomerge scores ${modelTypes.join(", ")} models so far`,
    );
    const adapter = await folderWith("adapter_config.json", {});
    expect(await whyUnscorable("org/lora", adapter)).toMatch(/^org\/lora is a LoRA adapter; /);
    const other = await folderWith("config.json", tinyConfig({ config: { hidden_act: "relu" } }));
    expect(await whyUnscorable("org/other", other)).toMatch(
      /^org\/other cannot be scored: .*config.json: hidden_act: .*; this model cannot be run$/,
    );
    const hostile = await folderWith("config.json", { model_type: "t5\u001B[2J" });
    expect(await whyUnscorable("org/model", hostile)).toMatch(/^org\/model is a t5\\x1B\[2J model; /);
  });
});
