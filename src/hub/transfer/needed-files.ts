import { isCompanion } from "../../model-folder/companion-files.ts";
import type { WeightMap } from "../../checkpoint/shard-index.ts";
import {
  ADAPTER_FILE,
  ADAPTER_WEIGHTS,
  findIndex,
  findWeightFiles,
  INDEX_FILE,
  indexBeside,
  isWeights,
  SINGLE_FILE,
  whyUnreadable,
} from "../../checkpoint/weight-files.ts";
import { UserError } from "../../errors.ts";
import { formatReference } from "../api/reference.ts";
import type { Repository, RepositoryFile } from "../api/snapshot.ts";

/** Weights of other names, which may hold anything. */
const PICKLE = /\.(bin|pt|pth|ckpt)$/;

/** Of a file that is fetched before the disk is checked; the largest tokenizers have some ten megabytes. */
const MAX_SMALL_BYTES = 2 ** 28;

/** Read beside what goes wherever the weights go. */
const DESCRIPTIONS = new Set(["README.md", ADAPTER_FILE]);

/**
 * The files of a model, or of an adapter where there is no model, that evomerge reads or passes on, its weights
 * only if wanted and in one format, safetensors where they are there; nothing in subfolders but weights that an index names. Which shards there are is certain once the index has been read. A UserError
 * for a repository without weights that can be read or without some shard, and for one whose configuration, tokenizer or card
 * is as large as weights.
 */
export function neededFiles(
  repository: Repository,
  extent: "all" | "without weights",
  weightMap?: WeightMap,
): readonly RepositoryFile[] {
  const paths = new Set(repository.files.map(({ path }) => path));
  const weights = weightsAmong(repository, paths, weightMap);
  if (weights.size === 0) throw whyNone(repository);
  const index = findIndex(paths);
  const isOther = (path: string): boolean => isSmall(path) || path === index;
  const large = repository.files.find(({ path, bytes }) => isOther(path) && bytes > MAX_SMALL_BYTES);
  if (large !== undefined) throw tooLarge(repository, large);
  return repository.files.filter(({ path }) => isOther(path) || (extent === "all" && weights.has(path)));
}

function isSmall(path: string): boolean {
  return isCompanion(path) || DESCRIPTIONS.has(path);
}

/** As when a folder is opened. */
function weightsAmong(
  repository: Repository,
  paths: ReadonlySet<string>,
  weightMap: WeightMap | undefined,
): ReadonlySet<string> {
  const found = findWeightFiles(paths, weightMap);
  const fault = found && whyUnreadable(found, paths);
  if (found && fault === undefined) return new Set(found.files);
  const index = findIndex(paths);
  if (index !== undefined && !weightMap) return new Set(anyWeights(paths, index));
  if (fault !== undefined) throw new UserError(`${nameOf(repository)}: ${fault}`);
  return new Set(ADAPTER_WEIGHTS.filter((file) => paths.has(file)).slice(0, 1));
}

/** Those that an index may name that is not read yet: in the root, or in folders where none are there. */
function anyWeights(paths: ReadonlySet<string>, index: string): readonly string[] {
  const others: ReadonlySet<string> = new Set(ADAPTER_WEIGHTS);
  const all = [...paths].filter((path) => isWeights(path) && indexBeside(path) === index && !others.has(path));
  const inRoot = all.filter((path) => !path.includes("/"));
  return inRoot.length > 0 ? inRoot : all;
}

function nameOf({ name, commit }: Repository): string {
  return formatReference({ name, revision: commit });
}

function tooLarge(repository: Repository, { path, bytes }: RepositoryFile): UserError {
  return new UserError(`${nameOf(repository)}: ${path}: expected at most 256 MiB, found ${bytes} bytes`);
}

function whyNone(repository: Repository): UserError {
  const expected = `expected ${SINGLE_FILE}, ${INDEX_FILE} with its shards, or the same of pytorch_model.bin`;
  const pickle = repository.files.find(({ path }) => PICKLE.test(path));
  const found =
    pickle &&
    `, found ${pickle.path}; convert it with https://huggingface.co/spaces/safetensors/convert, or in Python with save_pretrained, and give the folder instead`;
  return new UserError(`${nameOf(repository)} has no weights that evomerge reads; ${expected}${found ?? ""}`);
}
