/** What the files of a base or an expert tell before its weights are read, be it in a folder or on the Hub. */
import { basename, join } from "node:path";
import { openAdapterWeights } from "../checkpoint/adapter/open-adapter.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { listFolder } from "../checkpoint/open-weights.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { type JoinedHeaders, joinHeaders, type NamedHeader, renameTensors } from "../checkpoint/join-headers.ts";
import type { Header } from "../checkpoint/safetensors-header.ts";
import { readShardIndex, type WeightMap } from "../checkpoint/shard-index.ts";
import { openWeightFile } from "../checkpoint/weight-file.ts";
import { findIndex, isAdapter } from "../checkpoint/weight-files.ts";
import type { Hub } from "../hub/api/hub.ts";
import { NoAnswerError } from "../hub/api/retrying-fetch.ts";
import { isInSnapshot, snapshotFolder } from "../hub/cache/cache.ts";
import type { Repository, RepositoryFile } from "../hub/cache/repository.ts";
import { fetchFiles } from "../hub/transfer/fetch-files.ts";
import { neededFiles } from "../hub/transfer/needed-files.ts";
import { remoteHeader } from "../hub/transfer/remote-header.ts";
import type { CheckpointHeader } from "../model/open-model.ts";
import { ownNames } from "../model/own-names.ts";
import { readJsonObject } from "../files/json-object.ts";
import type { TokenizerFacts } from "../model/tokenizer/tokenizer.ts";

/** Types and shapes of all tensors of a model, and what its files say of them differently. */
export type TensorHeaders = Pick<CheckpointHeader, "tensors" | "others" | "disagreements">;

/** A model whose small files are on this machine. */
export interface ParentFiles {
  /** As people call it: a folder, or `org/name` of the Hub. */
  readonly name: string;
  /** Where its small files are. */
  readonly folder: string;
  /** Whether there is an adapter only. */
  readonly isAdapter: boolean;
  /** Reads its tokenizer, where there is another way than from the folder. */
  readonly tokenizer?: (() => Promise<TokenizerFacts>) | undefined;
  /** The headers of its weights; undefined where they cannot be had without the weights. */
  readonly headers: (signal?: AbortSignal) => Promise<TensorHeaders | undefined>;
  /** Identity of its files of weights where the Hub lists one. */
  readonly listedWeights?: string | undefined;
  /** Whether its weights are in the folder. */
  readonly isHere: boolean;
}

/** A model of the Hub, with the files that are to be fetched for it. */
export interface HubParentFiles extends ParentFiles {
  readonly files: readonly RepositoryFile[];
}

/** A model in a folder, of which no file is read yet; a UserError where there is no such folder. */
export async function filesOfFolder(folder: string): Promise<ParentFiles> {
  const names = await listFolder(folder);
  const isOne = isAdapter(names);
  const headers = isOne ? () => adapterHeaders(folder, names) : () => headersIn(folder);
  return { name: folder, folder, isAdapter: isOne, headers, isHere: true };
}

/** A model that is open. */
export async function filesOfCheckpoint(checkpoint: Checkpoint): Promise<ParentFiles> {
  const { folder } = checkpoint;
  if (checkpoint.isAdapter) return filesOfFolder(folder);
  return { name: folder, folder, isAdapter: false, headers: async () => headersOf(checkpoint), isHere: true };
}

async function headersIn(folder: string): Promise<TensorHeaders> {
  await using checkpoint = await openCheckpoint(folder);
  return headersOf(checkpoint);
}

async function adapterHeaders(folder: string, names: ReadonlySet<string>): Promise<TensorHeaders> {
  await using file = await openAdapterWeights(folder, names);
  return joinHeaders([{ name: basename(file.path), header: file.header }]);
}

function headersOf({ tensors, others, disagreements }: Checkpoint): TensorHeaders {
  return { tensors, others, disagreements };
}

/** Fetches the small files of a model; a UserError where it has no weights that can be read, or lacks some of them. */
export async function filesOnHub(
  hub: Hub,
  repository: Repository,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<HubParentFiles> {
  const small = neededFiles(repository, "without weights");
  const folder = await fetchFiles(hub, repository, small, options);
  const index = findIndex(new Set(repository.files.map(({ path }) => path)));
  const weightMap = index === undefined ? undefined : await readShardIndex(join(folder, index));
  const files = neededFiles(repository, "all", weightMap);
  const weights = files.filter((file) => !small.includes(file));
  const areHere = await Promise.all(weights.map((file) => isInSnapshot(hub, repository, file)));
  const sha256s = weights.map(({ sha256 }) => sha256 ?? "");
  const isOne = isAdapter(new Set(files.map(({ path }) => path)));
  const described = isOne ? undefined : folder;
  return {
    name: repository.name,
    folder,
    isAdapter: isOne,
    headers: (signal) => headersOnHub(hub, repository, { folder: described, weights, weightMap, signal }),
    listedWeights: sha256s.every((sha256) => sha256 !== "") ? sha256s.toSorted().join() : undefined,
    isHere: areHere.every(Boolean),
    files,
  };
}

interface HubWeights {
  /** That of config.json; an adapter needs none. */
  readonly folder: string | undefined;
  readonly weights: readonly RepositoryFile[];
  readonly weightMap: WeightMap | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Of the files that are here, and by parts of the others. */
async function headersOnHub(
  hub: Hub,
  repository: Repository,
  { folder, weights, weightMap, signal }: HubWeights,
): Promise<TensorHeaders | undefined> {
  const headers: NamedHeader[] = [];
  for (const file of weights) {
    const header = await headerOfHubFile(hub, repository, file, signal);
    if (header === undefined) return undefined;
    headers.push({ name: file.path, header });
  }
  const joined = joinHeaders(headers, weightMap);
  return folder === undefined ? joined : withOwnNames(folder, joined);
}

/** As `openCheckpoint` has the tensors of a full model, whose config.json is in the folder. */
async function withOwnNames(folder: string, headers: JoinedHeaders): Promise<JoinedHeaders> {
  const config = await readJsonObject(join(folder, "config.json"));
  return renameTensors(headers, ownNames({ folder, config, tensors: headers.tensors }));
}

/** Of a file that is here, or by a part of it; undefined where neither can be had. */
export async function headerOfHubFile(
  hub: Hub,
  repository: Repository,
  file: RepositoryFile,
  signal: AbortSignal | undefined,
): Promise<Header | undefined> {
  if (await isInSnapshot(hub, repository, file)) {
    await using opened = await openWeightFile(join(snapshotFolder(hub, repository), file.path));
    return opened.header;
  }
  if (hub.offline) return undefined;
  try {
    return await remoteHeader(hub, repository, file, signal);
  } catch (error) {
    // Whoever fetches the weights will learn why.
    if (error instanceof NoAnswerError) return undefined;
    throw error;
  }
}
