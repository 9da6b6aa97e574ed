import { isCompanion } from "../../model-folder/companion-files.ts";
import type { WeightMap } from "../../checkpoint/shard-index.ts";
import {
  ADAPTER_FILE,
  ADAPTER_WEIGHTS,
  findWeightFiles,
  INDEX_FILE,
  MERGE_ADAPTER,
  SINGLE_FILE,
  whyUnreadable,
} from "../../checkpoint/weight-files.ts";
import { UserError } from "../../errors.ts";
import { formatReference } from "../api/reference.ts";
import type { Repository, RepositoryFile } from "../api/snapshot.ts";

const PICKLE = /^(pytorch_model.*|adapter_model)\.bin$|\.(pt|pth|ckpt)$/;

/** Of a file that is fetched before the disk is checked; the largest tokenizers have some ten megabytes. */
const MAX_SMALL_BYTES = 2 ** 28;

/** Read beside what goes wherever the weights go. */
const DESCRIPTIONS = new Set(["README.md", INDEX_FILE, ADAPTER_FILE]);

/**
 * The files of a model, or of an adapter where there is no model, that evomerge reads or passes on, its safetensors weights
 * only if wanted; nothing in subfolders but weights that an index names, and no weights in other formats. Which shards there are is certain once the index has been read. A UserError
 * for a repository without weights in safetensors or without some shard, and for one whose configuration, tokenizer or card
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
  const isOther = (path: string): boolean => isSmall(path) && !(path === INDEX_FILE && paths.has(SINGLE_FILE));
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
  if (paths.has(INDEX_FILE) && !weightMap) return new Set(anyWeights(paths));
  if (fault !== undefined) throw new UserError(`${nameOf(repository)}: ${fault}`);
  return new Set(paths.has(ADAPTER_WEIGHTS) ? [ADAPTER_WEIGHTS] : []);
}

/** Those that an index may name that is not read yet: in the root, or in folders where none are there. */
function anyWeights(paths: ReadonlySet<string>): readonly string[] {
  const all = [...paths].filter((path) => path.endsWith(".safetensors") && path !== ADAPTER_WEIGHTS);
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
  const where = nameOf(repository);
  const pickle = repository.files.find(({ path }) => PICKLE.test(path));
  if (pickle === undefined)
    return new UserError(
      `${where} has no weights in safetensors; expected ${SINGLE_FILE} or ${INDEX_FILE} with its shards`,
    );
  const { path } = pickle;
  const advice = path.startsWith("adapter_model")
    ? `it is a LoRA adapter: ${MERGE_ADAPTER}`
    : "convert them with https://huggingface.co/spaces/safetensors/convert, or in Python with save_pretrained, and give the folder instead";
  return new UserError(
    `${where} has its weights in ${path} only: pickled weights can run code and are never loaded; ${advice}`,
  );
}
