import type { Architecture, TensorGroup } from "./architecture.ts";
import { gemma } from "./gemma.ts";
import { gemma2 } from "./gemma2.ts";
import { llama } from "./llama.ts";
import { mistral } from "./mistral.ts";
import { phi3 } from "./phi3.ts";
import { qwen2 } from "./qwen2.ts";

/** Every architecture whose models can be run. */
export const architectures: readonly Architecture[] = [llama, mistral, qwen2, gemma, gemma2, phi3];

/** The values of `model_type` in config.json whose models can be run. */
export const modelTypes: readonly string[] = architectures.map(({ modelType }) => modelType);

/** The groups of all architectures, each name once; a search space or recipe is written before a model is known. */
export const tensorGroups: readonly TensorGroup[] = [
  ...new Map(architectures.flatMap(({ groups }) => groups.map((group) => [group.name, group]))).values(),
];
