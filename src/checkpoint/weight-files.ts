import type { WeightMap } from "./shard-index.ts";

/** Holds all weights of an unsharded model. */
export const SINGLE_FILE = "model.safetensors";
/** Maps the tensors of a sharded model to its files. */
export const INDEX_FILE = "model.safetensors.index.json";
/** Describes an adapter, as peft writes it beside the adapter's weights. */
export const ADAPTER_FILE = "adapter_config.json";
/** Weights of an adapter, as peft names them. */
export const ADAPTER_WEIGHTS = "adapter_model.safetensors";
const ADAPTER_PARTS = [ADAPTER_FILE, ADAPTER_WEIGHTS, "adapter_model.bin"];
/** What transformers and older scripts call their files; of several models in one folder the first is meant. */
const STEMS = ["model", "pytorch_model"];

const SHARD = /^(?<stem>[^/]+)-(?<number>\d{1,5})-of-(?<count>\d{1,5})\.safetensors$/;

/** The files that hold a model's weights, be they there or not, and what says so. */
export interface WeightFiles {
  readonly files: readonly string[];
  /** Such as the name of an index. */
  readonly saidBy: string;
  /** A file that says otherwise, and may as well be meant. */
  readonly rival?: string | undefined;
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
  const all = findSeries(names);
  const usual = STEMS.map((stem) => all.filter((series) => series.stem === stem)).find(({ length }) => length > 0);
  const [meant, other] = usual ?? all;
  return meant && { files: filesOf(meant), saidBy: meant.first, rival: other?.first };
}

/** Whether a folder with these files holds an adapter and no full model. */
export function isAdapter(names: ReadonlySet<string>): boolean {
  const isFull = names.has("config.json") && (names.has(INDEX_FILE) || findWeightFiles(names) !== undefined);
  return !isFull && ADAPTER_PARTS.some((part) => names.has(part));
}

/** Why an adapter is not merged or scored, in one sentence. */
export function refuseAdapter(name: string): string {
  return `${name} is a LoRA adapter; evomerge scores full models so far: ${MERGE_ADAPTER}`;
}

/** What to do about an adapter. */
export const MERGE_ADAPTER = "merge it into its base, in Python with peft's merge_and_unload, and give that folder";

/** Why files of weights cannot be read where there are those of `names`, in words; undefined where they can. */
export function whyUnreadable({ files, saidBy, rival }: WeightFiles, names: ReadonlySet<string>): string | undefined {
  if (rival !== undefined)
    return `${saidBy}: expected the shards of one model, found ${rival} beside it, and no ${INDEX_FILE} that tells which are meant; remove the others`;
  const [first, ...others] = files.filter((file) => !names.has(file));
  if (first === undefined) return undefined;
  const listed =
    [first, ...others.slice(0, 3)].join(", ") + (others.length > 3 ? ` and ${others.length - 3} more` : "");
  const reason = saidBy === INDEX_FILE ? `${saidBy} names it` : `${saidBy} is one of ${files.length}`;
  return `${listed}: no such file, but ${reason}; download the model in full`;
}

/** Shards of one model that are there, by their numbers. */
interface Series {
  readonly stem: string;
  readonly count: string;
  /** Name of the first of them. */
  readonly first: string;
  readonly files: Map<number, string>;
}

function findSeries(names: ReadonlySet<string>): readonly Series[] {
  const all = new Map<string, Series>();
  for (const name of [...names].toSorted()) {
    const { stem = "", number = "", count = "" } = SHARD.exec(name)?.groups ?? {};
    if (Number(count) === 0) continue;
    const key = `${stem}/${count}`;
    const series = all.get(key) ?? { stem, count, first: name, files: new Map<number, string>() };
    series.files.set(Number(number), name);
    all.set(key, series);
  }
  return [...all.values()];
}

/** All that there should be, from number 1, or from 0 where that is there. */
function filesOf({ stem, count, files }: Series): string[] {
  const start = files.has(0) ? 0 : 1;
  const nameOf = (number: number): string =>
    `${stem}-${String(number).padStart(count.length, "0")}-of-${count}.safetensors`;
  return Array.from({ length: Number(count) }, (_, i) => files.get(start + i) ?? nameOf(start + i));
}
