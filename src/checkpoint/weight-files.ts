import type { WeightMap } from "./shard-index.ts";

/** Holds all weights of an unsharded model. */
export const SINGLE_FILE = "model.safetensors";
/** Maps the tensors of a sharded model to its files. */
export const INDEX_FILE = "model.safetensors.index.json";
/** Describes an adapter, as peft writes it beside the adapter's weights. */
export const ADAPTER_FILE = "adapter_config.json";
/** Weights of an adapter, as peft names them; the first that is there is meant. */
export const ADAPTER_WEIGHTS = ["adapter_model.safetensors", "adapter_model.bin"] as const;

/** How weights are stored, and what transformers and older scripts call the files. */
interface WeightFormat {
  readonly ending: string;
  readonly single: string;
  readonly index: string;
  /** Of shards; of several models in one folder the first is meant. */
  readonly stems: readonly string[];
}

const SAFETENSORS: WeightFormat = {
  ending: ".safetensors",
  single: SINGLE_FILE,
  index: INDEX_FILE,
  stems: ["model", "pytorch_model"],
};
const TORCH: WeightFormat = {
  ending: ".bin",
  single: "pytorch_model.bin",
  index: "pytorch_model.bin.index.json",
  stems: ["pytorch_model"],
};
/** Where a folder has several, the first is meant, as in transformers. */
const FORMATS = [SAFETENSORS, TORCH];

const SHARD = /^(?<stem>[^/]+)-(?<number>\d{1,5})-of-(?<count>\d{1,5})(?<ending>\.[a-z]+)$/;

/** The files that hold a model's weights, be they there or not, and what says so. */
export interface WeightFiles {
  readonly files: readonly string[];
  /** Such as the name of an index. */
  readonly saidBy: string;
  /** A file that says otherwise, and may as well be meant. */
  readonly rival?: string | undefined;
  /** What an index of such files is called. */
  readonly index: string;
}

/**
 * Which files hold the weights of a model, from the names in its folder and, where it has been read, the map of its index.
 * One file wins over shards, as in transformers; shards need no index where their numbers tell how many there are.
 * Undefined where there are no weights of a full model.
 */
export function findWeightFiles(names: ReadonlySet<string>, weightMap?: WeightMap): WeightFiles | undefined {
  const format = formatAmong(names);
  if (!format) return undefined;
  const { single, index } = format;
  if (names.has(single)) return { files: [single], saidBy: single, index };
  if (weightMap && names.has(index)) {
    return { files: [...new Set(weightMap.values())].toSorted(), saidBy: index, index };
  }
  const all = findSeries(names, format);
  const usual = format.stems
    .map((stem) => all.filter((series) => series.stem === stem))
    .find(({ length }) => length > 0);
  const [meant, other] = usual ?? all;
  return meant && { files: filesOf(meant), saidBy: meant.first, rival: other?.first, index };
}

/** The index among these files that says which others hold the weights; undefined where one file does, or nothing says it. */
export function findIndex(names: ReadonlySet<string>): string | undefined {
  const { single, index } = formatAmong(names) ?? SAFETENSORS;
  return names.has(index) && !names.has(single) ? index : undefined;
}

/** What the index of a model is called that has such a file of weights. */
export function indexBeside(file: string): string {
  return isTorchName(file) ? TORCH.index : SAFETENSORS.index;
}

/** Whether a file is one of weights by its name. */
export function isWeights(file: string): boolean {
  return FORMATS.some(({ ending }) => file.endsWith(ending));
}

/** Whether a file with this name is one of torch.save, and not of safetensors. */
export function isTorchName(file: string): boolean {
  return file.endsWith(TORCH.ending);
}

/** Whether a folder with these files holds an adapter and no full model. */
export function isAdapter(names: ReadonlySet<string>): boolean {
  const isFull = names.has("config.json") && formatAmong(names) !== undefined;
  return !isFull && [ADAPTER_FILE, ...ADAPTER_WEIGHTS].some((part) => names.has(part));
}

/** Why an adapter is no full model, in one sentence. */
export function refuseAdapter(name: string): string {
  return `${name} is a LoRA adapter; expected a full model here: name the model that it was trained on as the base, and the adapter as an expert`;
}

/** Why files of weights cannot be read where there are those of `names`, in words; undefined where they can. */
export function whyUnreadable(
  { files, saidBy, rival, index }: WeightFiles,
  names: ReadonlySet<string>,
): string | undefined {
  if (rival !== undefined)
    return `${saidBy}: expected the shards of one model, found ${rival} beside it, and no ${index} that tells which are meant; remove the others`;
  const [first, ...others] = files.filter((file) => !names.has(file));
  if (first === undefined) return undefined;
  const listed =
    [first, ...others.slice(0, 3)].join(", ") + (others.length > 3 ? ` and ${others.length - 3} more` : "");
  const reason = saidBy === index ? `${saidBy} names it` : `${saidBy} is one of ${files.length}`;
  return `${listed}: no such file, but ${reason}; download the model in full`;
}

/** Shards of one model that are there, by their numbers. */
interface Series {
  readonly stem: string;
  readonly count: string;
  readonly ending: string;
  /** Name of the first of them. */
  readonly first: string;
  readonly files: Map<number, string>;
}

function formatAmong(names: ReadonlySet<string>): WeightFormat | undefined {
  return FORMATS.find((format) => {
    const { single, index } = format;
    return names.has(single) || names.has(index) || findSeries(names, format).length > 0;
  });
}

function findSeries(names: ReadonlySet<string>, format: WeightFormat): readonly Series[] {
  const all = new Map<string, Series>();
  for (const name of [...names].toSorted()) {
    const { stem = "", number = "", count = "", ending } = SHARD.exec(name)?.groups ?? {};
    if (Number(count) === 0 || ending !== format.ending || !isStemOf(stem, format)) continue;
    const key = `${stem}/${count}`;
    const series = all.get(key) ?? { stem, count, ending, first: name, files: new Map<number, string>() };
    series.files.set(Number(number), name);
    all.set(key, series);
  }
  return [...all.values()];
}

/** A `.bin` may be anything, such as the state of an optimizer. */
function isStemOf(stem: string, { ending, stems }: WeightFormat): boolean {
  return ending !== TORCH.ending || stems.includes(stem);
}

/** All that there should be, from number 1, or from 0 where that is there. */
function filesOf({ stem, count, ending, files }: Series): string[] {
  const start = files.has(0) ? 0 : 1;
  const nameOf = (number: number): string =>
    `${stem}-${String(number).padStart(count.length, "0")}-of-${count}${ending}`;
  return Array.from({ length: Number(count) }, (_, i) => files.get(start + i) ?? nameOf(start + i));
}
