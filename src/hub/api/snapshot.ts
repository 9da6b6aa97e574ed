import type { HubReference } from "./reference.ts";

/** What a repository of the Hub holds. */
export type RepositoryType = "model" | "dataset";

/** A file of a repository at one commit. */
export interface RepositoryFile {
  /** Relative to the repository, parts separated by `/`; checked to stay inside any folder it is joined to. */
  readonly path: string;
  /** Size of the content, not of its LFS pointer. */
  readonly bytes: number;
  /** Git's sha1 of the content, or of its pointer where `sha256` is given; not always known of files in the cache. */
  readonly blob?: string | undefined;
  /** Of the content, for a file in LFS. */
  readonly sha256?: string | undefined;
  /** The last commit that changed the file; only with `withCommits`. */
  readonly lastCommit?: { readonly id: string; readonly date: string; readonly title: string } | undefined;
}

/** Names one repository at one commit. */
export interface Snapshot {
  readonly type: RepositoryType;
  /** As the Hub calls it now: another than asked for where it was renamed. */
  readonly name: string;
  /** As asked for. */
  readonly requested: HubReference;
  /** 40 hexadecimal digits. */
  readonly commit: string;
}

/** A repository as the Hub described it, now or when its files were fetched. */
export interface HubRepository extends Snapshot {
  readonly source: "hub";
  readonly files: readonly RepositoryFile[];
  readonly private: boolean;
  readonly gated: false | "auto" | "manual";
  readonly disabled: boolean;
  /** ISO 8601. */
  readonly createdAt?: string | undefined;
  /** As the card states it, such as `apache-2.0`. */
  readonly licence?: string | undefined;
  readonly tags: readonly string[];
  /** How many numbers the safetensors files hold. */
  readonly parameters?: number | undefined;
}

/** A repository that another program put into the cache: only the files that are there are known. */
export interface CachedRepository extends Snapshot {
  readonly source: "cache";
  readonly files: readonly RepositoryFile[];
}

/** A repository at one commit. */
export type Repository = HubRepository | CachedRepository;
