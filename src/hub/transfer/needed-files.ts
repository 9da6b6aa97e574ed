import { isCompanion } from "../../model-folder/companion-files.ts";
import { INDEX_FILE, SINGLE_FILE } from "../../checkpoint/weight-files.ts";
import { UserError } from "../../errors.ts";
import { formatReference } from "../api/reference.ts";
import type { Repository, RepositoryFile } from "../api/snapshot.ts";

const ADAPTER_CONFIG = "adapter_config.json";
const ADAPTER_WEIGHTS = "adapter_model.safetensors";
const SHARD = /^model-\d{5}-of-\d{5}\.safetensors$/;
const PICKLE = /^(pytorch_model.*|adapter_model)\.bin$|\.(pt|pth|ckpt)$/;

/** Of a file that is fetched before the disk is checked; the largest tokenizers have some ten megabytes. */
const MAX_SMALL_BYTES = 2 ** 28;

/** Read beside what goes wherever the weights go. */
const DESCRIPTIONS = new Set(["README.md", INDEX_FILE, ADAPTER_CONFIG]);

/**
 * The files of a model or adapter that evomerge reads or passes on, its safetensors weights only if wanted; nothing in
 * subfolders, and no weights in other formats. A UserError for a repository without weights in safetensors, and for one
 * whose configuration, tokenizer or card is as large as weights.
 */
export function neededFiles(repository: Repository, extent: "all" | "without weights"): readonly RepositoryFile[] {
  const paths = new Set(repository.files.map(({ path }) => path));
  const isWeights = weightsAmong(paths);
  if (!repository.files.some(({ path }) => isWeights(path))) throw whyNone(repository);
  const isOther = (path: string): boolean => isSmall(path) && !(path === INDEX_FILE && paths.has(SINGLE_FILE));
  const large = repository.files.find(({ path, bytes }) => isOther(path) && bytes > MAX_SMALL_BYTES);
  if (large !== undefined) throw tooLarge(repository, large);
  return repository.files.filter(({ path }) => isOther(path) || (extent === "all" && isWeights(path)));
}

function isSmall(path: string): boolean {
  return isCompanion(path) || DESCRIPTIONS.has(path);
}

/** One file wins over shards, as when a folder is opened. */
function weightsAmong(paths: ReadonlySet<string>): (path: string) => boolean {
  const isAdapter = (path: string): boolean => path === ADAPTER_WEIGHTS && paths.has(ADAPTER_CONFIG);
  if (paths.has(SINGLE_FILE)) return (path) => path === SINGLE_FILE || isAdapter(path);
  if (paths.has(INDEX_FILE)) return (path) => SHARD.test(path) || isAdapter(path);
  return isAdapter;
}

function tooLarge({ name, commit }: Repository, { path, bytes }: RepositoryFile): UserError {
  return new UserError(
    `${formatReference({ name, revision: commit })}: ${path} has ${bytes} bytes; expected at most 256 MiB`,
  );
}

function whyNone({ name, commit, files }: Repository): UserError {
  const where = formatReference({ name, revision: commit });
  const pickle = files.find(({ path }) => PICKLE.test(path));
  if (pickle === undefined)
    return new UserError(
      `${where} has no weights in safetensors; expected ${SINGLE_FILE} or ${INDEX_FILE} with its shards`,
    );
  return new UserError(
    `${where} has its weights in ${pickle.path} only: pickled weights can run code and are never loaded; convert them with ` +
      `https://huggingface.co/spaces/safetensors/convert, or in Python with save_pretrained, and give the folder instead`,
  );
}
