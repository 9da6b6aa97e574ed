import { join } from "node:path";
import { RandomStream } from "../../src/tensor/random.ts";
import { writeTinyModel, type TinyModel } from "../tiny-model.ts";
import { tinyT5Config } from "../tiny-t5.ts";

/** Recipes by the kind of their models. */
export const recipes: string = join(import.meta.dirname, "..", "fixtures", "recipes");

const gemma = {
  model_type: "gemma",
  architectures: ["GemmaForCausalLM"],
  head_dim: 4,
  hidden_act: "gelu_pytorch_tanh",
  hidden_activation: "gelu_pytorch_tanh",
  tie_word_embeddings: true,
};

const kinds: Readonly<Record<"llama" | "gemma" | "t5", TinyModel>> = {
  llama: { layers: 4 },
  gemma: { layers: 3, tied: true, config: gemma },
  t5: { config: tinyT5Config() },
};

export const recipeKinds = Object.keys(kinds) as (keyof typeof kinds)[];

const tokenizer = join(import.meta.dirname, "..", "fixtures", "tasks", "tokenizers", "byte-level");

/** What experts have in common, so that their differences point together, or what points the other way. */
function edited(by: number): NonNullable<TinyModel["edit"]> {
  return (name, values) => {
    const common = RandomStream.of(4, name);
    for (const i of values.keys()) values[i]! += by * common.normal();
  };
}

/** Writes the models that recipes of a kind name: a base, three experts and one that is opposed to them, in f32. */
export async function writeRecipeModels(folder: string, kind: keyof typeof kinds): Promise<void> {
  const shared: TinyModel = { ...kinds[kind], dtype: "f32", tokenizer };
  await writeTinyModel(join(folder, "base"), shared);
  for (const [i, name] of ["nature", "craft", "news", "opposed"].entries()) {
    const edit = edited(name === "opposed" ? -0.1 : 0.1);
    await writeTinyModel(join(folder, name), { ...shared, edit, perturbed: { seed: i + 1, by: 0.1 } });
  }
}
