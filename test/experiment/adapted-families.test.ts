import { cpSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { modelTypes } from "../../src/model/architectures.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeAdapted, writeTinyAdapter } from "../tiny-adapter.ts";
import { quizRows, tokenizer, writeRows } from "../tiny-experiment.ts";
import { type TinyModel, writeTinyModel } from "../tiny-model.ts";
import { tinyT5Config } from "../tiny-t5.ts";

const families: Readonly<Record<string, TinyModel>> = {
  llama: {},
  mistral: { config: { model_type: "mistral", sliding_window: 8 } },
  qwen2: { config: { model_type: "qwen2" } },
  gemma: { tied: true, config: { model_type: "gemma", hidden_act: "gelu_pytorch_tanh", head_dim: 8 } },
  gemma2: { tied: true, config: { model_type: "gemma2", head_dim: 8, sliding_window: 64, query_pre_attn_scalar: 8 } },
  phi3: { config: { model_type: "phi3", original_max_position_embeddings: 256 } },
  t5: { config: tinyT5Config() },
};

test("every family is here", () => {
  expect(Object.keys(families).toSorted()).toEqual(modelTypes.toSorted());
});

test.each(Object.entries(families))(
  "an adapter scores as the full model that it makes of its base: %s",
  async (_, model) => {
    const folder = await temporaryFolder();
    const [base, rows] = [join(folder, "base"), join(folder, "rows.jsonl")];
    await writeTinyModel(base, { ...model, tokenizer });
    await writeRows(rows, quizRows("search", 6));
    const adapter = await writeTinyAdapter(join(folder, "adapter"), base);
    cpSync(base, join(folder, "adapted"), { recursive: true });
    await writeAdapted(join(folder, "adapted"), adapter, base);
    const [scored, full, plain] = [
      await scoreModel({ model: adapter, rows }),
      await scoreModel({ model: join(folder, "adapted"), rows }),
      await scoreModel({ model: base, rows }),
    ];
    expect(scored).toEqual(full);
    expect(scored.loss).not.toBe(plain.loss);
  },
);
