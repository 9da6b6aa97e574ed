import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { INDEX_FILE } from "../../src/checkpoint/weight-files.ts";
import type { LoopbackHub } from "../hub/loopback-hub.ts";
import type { Change, Gating } from "../hub/loopback/repository.ts";

const models = join(import.meta.dirname, "..", "fixtures", "rules", "models");
const tokenizers = join(import.meta.dirname, "..", "fixtures", "tasks", "tokenizers");

interface Commit {
  readonly id: string;
  readonly title: string;
  readonly date: string;
}

/** A file of `fixtures/rules/models`. */
interface RecordedModel {
  readonly id: string;
  readonly sha: string;
  readonly gated: Gating;
  readonly createdAt: string;
  readonly tags: readonly string[];
  readonly cardData: { readonly license?: string };
  /** Absent where no weights are in safetensors. */
  readonly safetensors?: { readonly parameters: Readonly<Record<string, number>>; readonly total: number };
  readonly tree: readonly {
    readonly path: string;
    readonly size?: number;
    readonly lfs?: { readonly oid: string };
    readonly lastCommit: Commit;
  }[];
  readonly config: Readonly<Record<string, unknown>>;
}

export interface Changes {
  /** A folder of `fixtures/tasks/tokenizers` in place of the model's own, `byte-level` unless given. */
  readonly tokenizer?: string;
  readonly private?: boolean;
  readonly gated?: Gating;
  readonly licence?: string;
  /** Fields of config.json to replace. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Takes the place of the date of every commit of weights. */
  readonly weightsDate?: string;
}

/** Puts a recorded model, perhaps changed, on the server; returns its name pinned to its commit. */
export async function addRecorded(hub: LoopbackHub, id: string, changes: Changes = {}): Promise<string> {
  const model: RecordedModel = JSON.parse(await readFile(join(models, `${id.replace("/", "--")}.json`), "utf8"));
  const { gated, createdAt, tags, cardData, safetensors, sha } = model;
  const licence = changes.licence ?? cardData.license;
  const [first = {}, ...commits] = await commitsOf(model, changes);
  hub.addModel(id, {
    ...first,
    commits,
    private: changes.private ?? false,
    gated: changes.gated ?? gated,
    createdAt,
    tags,
    ...(safetensors && { safetensors }),
    ...(licence !== undefined && { licence }),
  });
  return `${id}@${sha}`;
}

/** The commits that the listing names, oldest first, each with the files that it was the last to change. */
async function commitsOf({ sha, tree, config }: RecordedModel, changes: Changes): Promise<Change[]> {
  const commits = new Map<string, Change & { files: Record<string, NonNullable<Change["files"]>[string]> }>();
  for (const { path, size, lfs, lastCommit } of tree) {
    const commit = commits.get(lastCommit.id) ?? { ...lastCommit, files: {} };
    commits.set(lastCommit.id, commit);
    commit.files[path] =
      lfs && size !== undefined
        ? { content: "not served", bytes: size, sha256: lfs.oid }
        : path === INDEX_FILE
          ? indexOf(tree)
          : await contentOf(path, { ...config, ...changes.config }, changes.tokenizer ?? "byte-level");
  }
  return [...commits.values()]
    .toSorted((a, b) => Number(a.id === sha) - Number(b.id === sha))
    .map(({ id, ...commit }) => ({
      ...commit,
      ...(id && { id }),
      ...(id !== sha && changes.weightsDate !== undefined && { date: changes.weightsDate }),
    }));
}

async function contentOf(path: string, config: object, tokenizer: string): Promise<string> {
  if (path.startsWith("tokenizer")) return readFile(join(tokenizers, tokenizer, path), "utf8");
  return path === "README.md" ? "a card" : JSON.stringify(config);
}

/** An index that names every shard; which tensor is where nobody asks without the shards. */
function indexOf(tree: RecordedModel["tree"]): string {
  const shards = tree.map(({ path }) => path).filter((path) => path.endsWith(".safetensors"));
  return JSON.stringify({ metadata: {}, weight_map: Object.fromEntries(shards.map((path) => [path, path])) });
}
