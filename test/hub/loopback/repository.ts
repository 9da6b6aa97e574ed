import { randomBytes } from "node:crypto";
import { filesBelow, storedFile, type FileSource, type StoredFile } from "./content.ts";

export type RepositoryType = "model" | "dataset";
export type Gating = false | "auto" | "manual";

/** A change to a branch: what a commit adds, replaces and (null) deletes. */
export interface Change {
  readonly files?: Readonly<Record<string, FileSource | StoredFile | null>>;
  /** Folder on disk whose files the commit adds; they are read when they are asked for. */
  readonly folder?: string;
  /** `Change <n>` unless given. */
  readonly title?: string;
  /** ISO 8601; the n-th commit is n hours into 2024 unless given. */
  readonly date?: string;
  /** 40 hexadecimal digits; random unless given. */
  readonly id?: string;
  /** `main` unless given; a branch that does not exist starts empty, as `refs/convert/parquet` does. */
  readonly branch?: string;
}

/** What a test says of a repository; `files` and `folder` make its first commit, `commits` those after it. */
export interface RepositoryDescription extends Omit<Change, "branch"> {
  /** Oldest first. */
  readonly commits?: readonly Change[];
  readonly private?: boolean;
  readonly gated?: Gating;
  readonly disabled?: boolean;
  readonly licence?: string;
  readonly baseModels?: readonly string[];
  readonly tags?: readonly string[];
  /** ISO 8601; the date of the first commit unless given. */
  readonly createdAt?: string;
  /** Counted from the headers of the *.safetensors files unless given. */
  readonly safetensors?: { readonly parameters: Readonly<Record<string, number>>; readonly total: number };
}

export interface Commit {
  readonly id: string;
  readonly title: string;
  readonly date: string;
  readonly parent: Commit | undefined;
  readonly files: ReadonlyMap<string, StoredFile>;
}

/** A repository with its history. */
export class LoopbackRepository {
  readonly type: RepositoryType;
  readonly description: RepositoryDescription;
  /** Changes when the server renames the repository. */
  name: string;
  readonly #refs = new Map<string, Commit>();
  readonly #commits = new Map<string, Commit>();

  constructor(type: RepositoryType, name: string, description: RepositoryDescription) {
    this.type = type;
    this.name = name;
    this.description = description;
    const { files, folder, title = "initial commit", date, id, commits = [] } = description;
    this.commit({
      title,
      ...(files && { files }),
      ...(folder && { folder }),
      ...(date && { date }),
      ...(id && { id }),
    });
    for (const change of commits) this.commit(change);
  }

  /** Adds a commit to a branch and returns its id. */
  commit(change: Change): string {
    const { branch = "main", folder, files = {} } = change;
    const parent = this.#refs.get(branch);
    const tree = new Map(parent?.files);
    for (const [path, file] of folder === undefined ? [] : filesBelow(folder)) tree.set(path, file);
    for (const [path, source] of Object.entries(files)) {
      if (source === null) tree.delete(path);
      else tree.set(path, isStored(source) ? source : storedFile(path, source));
    }
    const { id = randomBytes(20).toString("hex"), title = `Change ${this.#commits.size}` } = change;
    const { date = new Date(Date.UTC(2024, 0, 1, this.#commits.size)).toISOString() } = change;
    const commit = { id, title, date, parent, files: tree };
    this.#commits.set(id, commit);
    this.#refs.set(branch, commit);
    return id;
  }

  /** Names a commit, by default the newest of main. */
  tag(name: string, commit = this.head.id): void {
    this.#refs.set(name, this.#commits.get(commit)!);
  }

  /** The newest commit of main. */
  get head(): Commit {
    return this.#refs.get("main")!;
  }

  /** The oldest commit of main. */
  get first(): Commit {
    return historyOf(this.head).at(-1)!;
  }

  /** The commit that a branch, tag or commit id names. */
  find(revision: string): Commit | undefined {
    return revision === "HEAD" ? this.head : (this.#refs.get(revision) ?? this.#commits.get(revision));
  }
}

/** A commit and those before it, newest first. */
export function historyOf(commit: Commit): Commit[] {
  const history: Commit[] = [];
  for (let at: Commit | undefined = commit; at; at = at.parent) history.push(at);
  return history;
}

/** The newest commit, from `commit` back, that changed a file. */
export function lastChange(commit: Commit, path: string): Commit {
  let at = commit;
  while (at.parent?.files.get(path) === commit.files.get(path) && at.parent) at = at.parent;
  return at;
}

function isStored(source: FileSource | StoredFile): source is StoredFile {
  return typeof source === "object" && "digests" in source;
}
