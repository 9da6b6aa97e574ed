/**
 * Writes stacks of layers of tiny models into a folder, as an export does, and beside each `expected.json`: token ids and their
 * log-probabilities under the stack as it is scored. Used by stacks.py.
 * @module
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { resultOf } from "../../src/evaluate/path.ts";
import { tokenLogProbabilities } from "../../src/evaluate/token-log-probabilities.ts";
import { filesOfBase } from "../../src/export/files-of-base.ts";
import { mergeWeights } from "../../src/export/merge-weights.ts";
import { restackedFields } from "../../src/model/restacked-config.ts";
import { stackOf } from "../evaluate/stacked-model.ts";
import { experts, openTinyFamily } from "../evaluate/tiny-family.ts";
import type { TinyModel } from "../tiny-model.ts";

const stacked = "base0 a1*0.7 b2*1.3 a2*0.5 base1";
const cases: Readonly<Record<string, { readonly model: TinyModel; readonly layers: string; readonly rest: string }>> = {
  llama: {
    model: { layers: 3, config: { attention_bias: true, mlp_bias: true } },
    layers: stacked,
    rest: "a",
  },
  "llama, one layer": { model: { layers: 3, tied: true }, layers: "b2*0.9", rest: "b" },
  gemma: {
    model: {
      layers: 3,
      tied: true,
      config: {
        architectures: ["GemmaForCausalLM"],
        model_type: "gemma",
        head_dim: 4,
        hidden_act: "gelu_pytorch_tanh",
      },
    },
    layers: stacked,
    rest: "base",
  },
  phi3: {
    model: {
      layers: 3,
      config: {
        architectures: ["Phi3ForCausalLM"],
        model_type: "phi3",
        sliding_window: 5,
        original_max_position_embeddings: 256,
        pad_token_id: null,
        bos_token_id: null,
        eos_token_id: null,
      },
    },
    layers: stacked,
    rest: "base",
  },
  "qwen2, windows from a layer on": {
    model: {
      layers: 3,
      config: {
        architectures: ["Qwen2ForCausalLM"],
        model_type: "qwen2",
        use_sliding_window: true,
        sliding_window: 4,
        max_window_layers: 1,
      },
    },
    layers: stacked,
    rest: "b",
  },
};

const folder = process.argv[2] ?? "";
await using device = await openGgml({ backend: "cpu" });
for (const [name, { model: shape, layers, rest }] of Object.entries(cases)) {
  const out = join(folder, name, "stack");
  await mkdir(out, { recursive: true });
  await using family = await openTinyFamily(join(folder, name), device, { model: shape });
  const { model, checkpoints, parents } = family;
  const recipe = stackOf(layers, rest);
  const merging = { device, model, parents, base: "base", experts };
  await mergeWeights({ ...merging, checkpoints }, recipe, out);
  const base = checkpoints.get("base")!;
  const result = resultOf(model, recipe);
  if (!("layerTypes" in result)) throw new Error(`${name}: not restacked`);
  const files = await filesOfBase(base.folder, { dtype: "bf16", fields: restackedFields(base, result) }, () => {});
  for (const [file, content] of files) await writeFile(join(out, file), content);
  const ids = Int32Array.from({ length: 24 }, (_, i) => (7 * i * i + 3) % 40);
  const logProbabilities = await tokenLogProbabilities(merging, recipe, { ids });
  const expected = { layers: recipe.layers.length, ids: [...ids], logProbabilities };
  await writeFile(join(folder, name, "expected.json"), JSON.stringify(expected));
}
