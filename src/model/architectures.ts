import type { Architecture, TensorGroup } from "./architecture.ts";
import { gemma } from "./gemma.ts";
import { gemma2 } from "./gemma2.ts";
import { llama } from "./llama.ts";
import { mistral } from "./mistral.ts";
import { phi3 } from "./phi3.ts";
import { qwen2 } from "./qwen2.ts";
import { t5 } from "./t5.ts";

/** Every architecture whose models can be run. */
export const architectures: readonly Architecture[] = [llama, mistral, qwen2, gemma, gemma2, phi3, t5];

/** The values of `model_type` in config.json whose models can be run. */
export const modelTypes: readonly string[] = architectures.map(({ modelType }) => modelType);

const groups: readonly TensorGroup[] = architectures.flatMap((architecture) => architecture.groups);

/** What groups are in any stack of any architecture; a search space or recipe is written before a model is known. */
export const groupKinds: readonly string[] = [...new Set(groups.map(({ kind }) => kind))];

/** The names of groups of one stack of several, by their kind. */
export const stackGroups: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  groupKinds.map((kind) => {
    const names = groups.filter((group) => group.kind === kind && group.name !== kind).map(({ name }) => name);
    return [kind, [...new Set(names)]];
  }),
);
