import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { readTextWithin } from "../../files/read-file.ts";
import { type DataFiles, findDataFiles, listDataFiles, type WantedData } from "./data-files.ts";
import { declaredDataFiles } from "./dataset-card.ts";
import { fetchFiles } from "./fetch-files.ts";
import type { Hub } from "../api/hub.ts";
import { formatReference, parseReference } from "../api/reference.ts";
import { openRepository, type Repository, type RepositoryFile } from "../cache/repository.ts";
import { NoAnswerError } from "../api/retrying-fetch.ts";

/** A split of a configuration of a dataset of the Hub, at the commit that it was found at. */
export interface DatasetFiles {
  readonly repository: Repository;
  readonly config: string;
  readonly split: string;
  /** The files of its rows, in their order. */
  readonly files: readonly RepositoryFile[];
  /** What finds the same files again, whatever becomes of the dataset. */
  readonly pinned: { readonly dataset: string; readonly config: string; readonly split: string };
}

/** Where the Hub keeps its own conversion of a dataset. */
const CONVERTED = "refs/convert/parquet";

/** Of all files together; validation rows are a few megabytes. */
const MAX_BYTES = 2 ** 30;

/** Cards are a few kilobytes. */
const CARD = { what: "a dataset's card", maxBytes: 2 ** 20 };

/**
 * Finds the files of a split of a dataset, `org/name@revision`; on the revision main, in the Hub's conversion to parquet
 * if they are there. Nothing but the dataset's card is fetched. A dataset, configuration or split that is not there is a
 * UserError that says what is.
 */
export async function openDataset(
  hub: Hub,
  source: WantedData & { readonly dataset: string },
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<DatasetFiles> {
  const reference = parseReference(source.dataset);
  if (!reference) throw new Error(`${source.dataset} is not the name of a dataset`);
  const open = (revision: string): Promise<Repository> =>
    openRepository(hub, "dataset", { name: reference.name, revision }, { signal });
  const trees =
    reference.revision === "main"
      ? [() => open(CONVERTED).catch(withoutConversion), () => open("main")]
      : [() => open(reference.revision)];
  let fault: string | undefined;
  for (const tree of trees) {
    const repository = await tree();
    const listed = repository ? await listSplits(hub, repository, signal) : [];
    if (!repository || listed.length === 0) continue;
    const found = findDataFiles(listed, source);
    if (typeof found !== "string") return datasetFiles(repository, found);
    fault ??= found;
  }
  throw new UserError(
    `the dataset ${source.dataset}: ${fault ?? "expected files of rows (.parquet, .jsonl, .json or .csv), found none"}`,
  );
}

/** Not every dataset has a conversion, and a refusal shows again on main; but a moment's trouble must not choose the rows. */
function withoutConversion(error: unknown): undefined {
  if (!(error instanceof UserError) || error instanceof NoAnswerError) throw error;
}

/** What the dataset's card declares goes before what its paths tell. */
async function listSplits(hub: Hub, repository: Repository, signal: AbortSignal | undefined): Promise<DataFiles[]> {
  const paths = repository.files.map(({ path }) => path);
  const card = repository.files.find(({ path, bytes }) => path === "README.md" && bytes <= CARD.maxBytes);
  if (card) {
    const folder = await fetchFiles(hub, repository, [card], { signal });
    const declared = declaredDataFiles(await readTextWithin(join(folder, card.path), CARD), paths);
    if (declared.length > 0) return declared;
  }
  return listDataFiles(paths);
}

function datasetFiles(repository: Repository, { config, split, paths }: DataFiles): DatasetFiles {
  const byPath = new Map(repository.files.map((file) => [file.path, file]));
  const files = paths.flatMap((path) => byPath.get(path) ?? []);
  const dataset = formatReference({ name: repository.name, revision: repository.commit });
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes > MAX_BYTES) {
    throw new UserError(
      `the dataset ${dataset}: the split ${split} of ${config}: expected at most 1 GiB of rows to score, found ${bytes} bytes; take another split`,
    );
  }
  return { repository, config, split, files, pinned: { dataset, config, split } };
}
