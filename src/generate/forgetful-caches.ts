/** Where the caches of transformers forget tokens that a model's attention sees. */
import { showUntrusted } from "../files/show-untrusted.ts";
import type { Model } from "../model/architecture.ts";

/** Families whose configurations leave it to the caches to find out which layers have a window. */
const LEFT_TO_CACHES: ReadonlySet<unknown> = new Set(["llama", "mistral", "gemma", "phi3", "t5"]);

/** The field by which a cache of transformers 5 has a window, in one layer or all of them. */
function forgettingField({ layer_types: types, ...config }: Readonly<Record<string, unknown>>): string | undefined {
  const kinds = [
    ["sliding_attention", "sliding_window"],
    ["chunked_attention", "attention_chunk_size"],
  ] as const;
  const fields = kinds.filter(([kind]) => !Array.isArray(types) || types.includes(kind)).map(([, field]) => field);
  return fields.find((field) => typeof config[field] === "number");
}

/**
 * A notice of a config.json by which texts of transformers see less than their model's log-likelihoods do, as in a Llama that
 * names a window which its attention does not have; undefined where they see the same.
 */
export function noticeOfForgetfulCaches(
  config: Readonly<Record<string, unknown>>,
  { windows, maxLength, encoding }: Pick<Model, "windows" | "maxLength" | "encoding">,
): string | undefined {
  const field = LEFT_TO_CACHES.has(config["model_type"]) ? forgettingField(config) : undefined;
  if (field === undefined) return undefined;
  const window = Number(config[field]);
  const isTheModels = Object.values(windows).includes(window);
  if (isTheModels || (window >= maxLength && !encoding)) return undefined;
  return `config.json: ${field} ${showUntrusted(window)}: not followed here, since attention in this family has no such window; the cache of transformers forgets what is farther back, so that its longer texts are others`;
}
