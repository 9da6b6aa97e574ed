import type { JsonObject } from "../files/json-object.ts";
import type { ParentFinding } from "../experiment/parent-finding.ts";
import type { Experiment } from "../experiment/experiment.ts";
import type { Repository, RepositoryFile } from "../hub/cache/repository.ts";
import type { HubReference } from "../hub/api/reference.ts";
import type { Model } from "../model/architecture.ts";
import type { TokenizerFacts } from "../model/tokenizer/tokenizer.ts";
import type { TaskRow } from "../tasks/rows.ts";

/** Everything the rules look at, gathered once. */
export interface Facts {
  readonly experiment: Experiment;
  /** Such as `https://huggingface.co`. */
  readonly endpoint: string;
  /** Whether the Hub could not be asked. */
  readonly offline: boolean;
  /** Base first, then the experts, each model once. */
  readonly models: readonly ModelFacts[];
  /** What `run` and `fetch` would say of the models. */
  readonly findings: readonly ParentFinding[];
  readonly sources: readonly SourceFacts[];
}

/** What is known of a model without its weights. */
export interface ModelFacts {
  /** As the experiment names it: a folder or `org/name@revision`. */
  readonly name: string;
  /** Absent for a folder of this machine. */
  readonly reference?: HubReference | undefined;
  /** With the last commit of every file. */
  readonly repository?: Repository | undefined;
  /** The files of the repository that hold its weights, in safetensors if there are any. */
  readonly weights?: readonly RepositoryFile[] | undefined;
  /** Why the repository or its small files could not be had. */
  readonly problem?: Problem | undefined;
  /** config.json; an adapter has none. */
  readonly config?: JsonObject | undefined;
  /** adapter_config.json of a LoRA adapter. */
  readonly adapter?: JsonObject | undefined;
  /** Absent for families that evomerge does not know. */
  readonly model?: Model | undefined;
  readonly tokenizer?: TokenizerFinding | undefined;
  /** Bytes of all tensors, by the index of a sharded model. */
  readonly indexedBytes?: number | undefined;
}

/** Why something could not be had: "fail" if that is certain, "unknown" if nobody could be asked. */
export interface Problem {
  readonly verdict: "fail" | "unknown";
  readonly text: string;
}

/** What is known of a tokenizer, or why it could not be read. */
export type TokenizerFinding = TokenizerFacts | { readonly problem: string };

/** Where rows of a task come from, and the rows. */
export interface SourceFacts {
  readonly task: string;
  /** Whether the rows are those of the search or of the guard. */
  readonly side: "rows" | "guard";
  /** `org/name` and configuration of a dataset, or the path of a file. */
  readonly name: string;
  /** What tells which data these are: names of task, dataset, configuration, split or file. */
  readonly names: readonly string[];
  /** Absent for files of this machine. */
  readonly repository?: Repository | undefined;
  /** sha256 of a file of this machine. */
  readonly sha256?: string | undefined;
  readonly rows?: readonly TaskRow[] | undefined;
  /** Why the rows could not be had. */
  readonly problem?: Problem | undefined;
}

/** How the facts are gathered. */
export interface GatherOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told the model or dataset that is looked at next. */
  readonly onProgress?: ((name: string) => void) | undefined;
}
