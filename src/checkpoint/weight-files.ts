import type { WeightMap } from "./shard-index.ts";

/** Holds all weights of an unsharded model. */
export const SINGLE_FILE = "model.safetensors";
/** Maps the tensors of a sharded model to its files. */
export const INDEX_FILE = "model.safetensors.index.json";
/** Describes an adapter, as peft writes it beside the adapter's weights. */
export const ADAPTER_FILE = "adapter_config.json";
/** What transformers and older scripts call their files; of several models in one folder the first is meant. */
const STEMS = ["model", "pytorch_model"];

const SHARD = /^(?<stem>\w[\w.-]*)-\d{5}-of-(?<count>\d{5})\.safetensors$/;

/** The files that hold a model's weights, be they there or not, and what says so. */
export interface WeightFiles {
  readonly files: readonly string[];
  /** Such as the name of an index. */
  readonly saidBy: string;
}

/**
 * Which files hold the weights of a model, from the names in its folder and, where it has been read, the map of its index.
 * One file wins over shards, as in transformers; shards need no index where their numbers tell how many there are.
 * Undefined where there are no weights of a full model in safetensors.
 */
export function findWeightFiles(names: ReadonlySet<string>, weightMap?: WeightMap): WeightFiles | undefined {
  if (names.has(SINGLE_FILE)) return { files: [SINGLE_FILE], saidBy: SINGLE_FILE };
  if (weightMap && names.has(INDEX_FILE)) {
    return { files: [...new Set(weightMap.values())].toSorted(), saidBy: INDEX_FILE };
  }
  const bySeries = new Map<string, WeightFiles>();
  for (const name of [...names].toSorted()) {
    const { stem = "", count = "" } = SHARD.exec(name)?.groups ?? {};
    if (Number(count) > 0 && !bySeries.has(stem)) bySeries.set(stem, { files: numbered(stem, count), saidBy: name });
  }
  const [only] = bySeries.size === 1 ? bySeries.values() : [];
  return only ?? STEMS.map((stem) => bySeries.get(stem)).find((series) => series !== undefined);
}

/** Whether a folder with these files holds an adapter and no full model. */
export function isAdapter(names: ReadonlySet<string>): boolean {
  return names.has(ADAPTER_FILE) && !(names.has("config.json") && (names.has(INDEX_FILE) || findWeightFiles(names)));
}

/** Why an adapter is not merged or scored, in one sentence. */
export function refuseAdapter(name: string): string {
  return `${name} is a LoRA adapter; evomerge scores full models so far: merge it into its base, in Python with peft's merge_and_unload, and give that folder`;
}

/** The files of which there are none among `names`, in words; undefined where all are there. */
export function missingFiles({ files, saidBy }: WeightFiles, names: ReadonlySet<string>): string | undefined {
  const [first, ...others] = files.filter((file) => !names.has(file));
  if (first === undefined) return undefined;
  const listed =
    [first, ...others.slice(0, 3)].join(", ") + (others.length > 3 ? ` and ${others.length - 3} more` : "");
  const reason = saidBy === INDEX_FILE ? `${saidBy} names it` : `${saidBy} is one of ${files.length}`;
  return `${listed}: no such file, but ${reason}; download the model in full`;
}

function numbered(stem: string, count: string): string[] {
  return Array.from(
    { length: Number(count) },
    (_, i) => `${stem}-${String(i + 1).padStart(5, "0")}-of-${count}.safetensors`,
  );
}
