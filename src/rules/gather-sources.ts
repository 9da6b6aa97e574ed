import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { openFile } from "../files/read-file.ts";
import type { DatasetSource, Experiment, RowSource } from "../experiment/experiment.ts";
import { openDataset } from "../hub/transfer/dataset.ts";
import { fetchFiles } from "../hub/transfer/fetch-files.ts";
import type { Hub } from "../hub/api/hub.ts";
import { parseReference } from "../hub/api/reference.ts";
import { readRows } from "../tasks/rows.ts";
import { ask, attempt, describedNow } from "./ask.ts";
import type { GatherOptions, SourceFacts } from "./facts.ts";

type Origin = Pick<SourceFacts, "task" | "side">;

/** Brings the rows of every task here and reads them. */
export async function gatherSources(
  { tasks }: Experiment,
  hub: Hub,
  options: GatherOptions,
): Promise<readonly SourceFacts[]> {
  const gathered: SourceFacts[] = [];
  for (const { name: task, rows, guard } of tasks) {
    gathered.push(...(await gatherRows({ task, side: "rows" }, rows, hub, options)));
    if (guard) gathered.push(...(await gatherRows({ task, side: "guard" }, guard, hub, options)));
  }
  return gathered;
}

async function gatherRows(
  origin: Origin,
  source: RowSource,
  hub: Hub,
  options: GatherOptions,
): Promise<readonly SourceFacts[]> {
  if ("dataset" in source) return [await gatherDataset(origin, source, hub, options)];
  return Promise.all(source.map((path) => gatherFile(origin, path, options)));
}

async function gatherDataset(
  { task, side }: Origin,
  source: DatasetSource,
  hub: Hub,
  { signal, onProgress }: GatherOptions,
): Promise<SourceFacts> {
  const { dataset, config, split } = source;
  const reference = parseReference(dataset);
  if (!reference) throw new Error(`${dataset} is not the name of a dataset`);
  const name = `${dataset} ${config}`;
  const names = [task, reference.name, config, ...(split === undefined ? [] : [split])];
  onProgress?.(name);
  const asked = await ask(hub, async () => {
    const { repository, files } = await openDataset(hub, source, { signal });
    const folder = await fetchFiles(hub, repository, files, { signal });
    const rows = await readRows(
      files.map(({ path }) => join(folder, path)),
      {},
      signal,
    );
    return { repository: await describedNow(hub, repository, reference, signal), rows };
  });
  return { task, side, name, names, ...("problem" in asked ? asked : asked.found) };
}

async function gatherFile({ task, side }: Origin, path: string, { signal }: GatherOptions): Promise<SourceFacts> {
  const read = await attempt(async () => ({ sha256: await hashFile(path), rows: await readRows(path, {}, signal) }));
  return { task, side, name: path, names: [task, basename(path)], ...("problem" in read ? read : read.found) };
}

async function hashFile(path: string): Promise<string> {
  await using file = await openFile(path, "a file of rows");
  const hash = createHash("sha256");
  for await (const piece of file.createReadStream({ autoClose: false })) hash.update(piece as Buffer);
  return hash.digest("hex");
}
