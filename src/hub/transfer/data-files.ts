import { showUntrusted } from "../../files/show-untrusted.ts";

/** The files that hold one split of one configuration of a dataset, in their order. */
export interface DataFiles {
  readonly config: string;
  readonly split: string;
  readonly paths: readonly string[];
}

/** Which rows of a dataset are wanted; the split may be left out where there is one only. */
export interface WantedData {
  readonly config: string;
  readonly split?: string | undefined;
}

/** What can be read, the best first: the same rows are often there in several formats. */
const formats = ["parquet", "jsonl", "json", "csv"];

const dataPath = new RegExp(`^(?<folders>(?:[^/]+/)*)(?<stem>[^/]+)\\.(?<format>${formats.join("|")})$`);

/** Files of the `datasets` library about a dataset, and whatever is hidden. */
const noData = /(?:^|\/)(?:\.|__|(?:dataset_infos?|dataset_dict|state)\.json$)/;

/** Names by which the Hub knows splits, each with the usual one. */
const usualSplits: ReadonlyMap<string, string> = new Map([
  ["train", "train"],
  ["training", "train"],
  ["validation", "validation"],
  ["valid", "validation"],
  ["val", "validation"],
  ["dev", "validation"],
  ["test", "test"],
  ["testing", "test"],
  ["eval", "test"],
  ["evaluation", "test"],
]);

/** Whether a path of a repository is that of a file of rows. */
export function isDataFile(path: string): boolean {
  return dataPath.test(path) && !noData.test(path);
}

/** All splits that the paths of a repository tell of, as the Hub lays them out and as people do. */
export function listDataFiles(paths: readonly string[]): DataFiles[] {
  const splits = new Map<string, Located[]>();
  for (const path of paths.filter(isDataFile).toSorted()) {
    const located = locate(path);
    const key = JSON.stringify([located.config, located.split]);
    const others = splits.get(key);
    if (others) others.push(located);
    else splits.set(key, [located]);
  }
  return Array.from(splits.values(), (all) => {
    const best = Math.min(...all.map(({ format }) => formats.indexOf(format)));
    const paths = all.filter(({ format }) => format === formats[best]).map(({ path }) => path);
    return { config: all[0]?.config ?? "", split: all[0]?.split ?? "", paths };
  });
}

/** The wanted one among those listed, or what to say when it is not there: a clause with what is. */
export function findDataFiles(listed: readonly DataFiles[], wanted: WantedData): DataFiles | string {
  const configs = [...new Set(listed.map(({ config }) => config))];
  const config = nearest(configs, wanted.config, (name) => name.toLowerCase().replaceAll(/[_-]/g, ""));
  if (config === undefined) return `expected a configuration ${showUntrusted(wanted.config)}, found ${list(configs)}`;
  const ofConfig = listed.filter((files) => files.config === config);
  const splits = ofConfig.map(({ split }) => split);
  const [only] = ofConfig;
  if (wanted.split === undefined) {
    if (only && ofConfig.length === 1) return only;
    return `the configuration ${showUntrusted(config)} has the splits ${list(splits)}; name one of them as split`;
  }
  const split = nearest(splits, wanted.split, (name) => usualSplits.get(name.toLowerCase()) ?? name.toLowerCase());
  return (
    ofConfig.find((files) => files.split === split) ??
    `expected a split ${showUntrusted(wanted.split)} of the configuration ${showUntrusted(config)}, found ${list(splits)}`
  );
}

interface Located {
  readonly path: string;
  readonly format: string;
  readonly config: string;
  readonly split: string;
}

/** What a path says of its rows; `data/` on top says nothing. */
function locate(path: string): Located {
  const { folders = "", stem = "", format = "" } = dataPath.exec(path)?.groups ?? {};
  const above = folders.split("/").slice(0, -1);
  const within = above[0] === "data" ? above.slice(1) : above;
  const parent = within.at(-1) ?? "";
  const at = (config: readonly string[], split: string): Located => ({
    path,
    format,
    config: config.join("/") || "default",
    split,
  });

  // cosmos_qa/train-00000-of-00001.parquet, data/train-00000-of-00001.parquet
  const whole = /^(.+)-\d{5}-of-\d{5}$/.exec(stem)?.[1];
  if (whole !== undefined && above.length > 0) return at(within, whole);
  // cosmos_qa/train/0000.parquet, cosmos_qa/train/rows.jsonl
  if (isSplit(parent) || (/^\d+$/.test(stem) && within.length > 1)) return at(within.slice(0, -1), parent);
  // cosmos_qa/train.jsonl, train.jsonl
  const name = whole ?? stem;
  if (isSplit(name)) return at(within, name);
  // cosmos_qa_train.csv, cosmos_qa/rows_train.csv
  const [, prefix = "", suffix = ""] = /^(.+)[_.-]([^_.-]+)$/.exec(name) ?? [];
  if (isSplit(suffix)) return at(within.length > 0 ? within : [prefix], suffix);
  // cosmos_qa.jsonl, cosmos_qa/rows.jsonl
  return at(within.length > 0 ? within : [name], "train");
}

function isSplit(name: string): boolean {
  return usualSplits.has(name.toLowerCase());
}

/** The name itself where it is there, else the only one that reads alike. */
function nearest(names: readonly string[], wanted: string, loosely: (name: string) => string): string | undefined {
  if (names.includes(wanted)) return wanted;
  const alike = names.filter((name) => loosely(name) === loosely(wanted));
  return alike.length === 1 ? alike[0] : undefined;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 20).map(showUntrusted).join(", ");
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}
