/** Refusals of models and rows that are not those that a recorded run began with, in words that tell what to do. */
import type { Experiment } from "../../experiment/experiment.ts";
import { mapPlaces, type PathUse } from "../../experiment/experiment-paths.ts";
import { BASE } from "../../experiment/the-base.ts";
import type { JournalRecord, RecordPayloads } from "../../journal/records.ts";
import { optionFor } from "./places.ts";
import { isElsewhere, othersThere, tellingsOf } from "./told-places.ts";

type ParentLines = RecordPayloads["parents"]["tensors"];

/** Something of an experiment, where it is now, and whether the run is known to have found it there. */
interface Placed {
  readonly use: PathUse;
  readonly paths: readonly string[];
  /** In other words: it was moved there, or only something of its name is there. */
  readonly isElsewhere: boolean;
  /** Another place that has something of it. */
  readonly other: readonly string[] | undefined;
}

/** What of an experiment is not what its run began with, and how to say so. */
export class ProvenParts {
  readonly #folder: string;
  readonly #parts: readonly Placed[];
  readonly #lines: ParentLines;

  /** Of the run in `folder`; the experiment may name other places than the records do. */
  constructor(folder: string, records: readonly JournalRecord[], experiment: Experiment) {
    const told = tellingsOf(folder, records);
    const parts: Placed[] = [];
    mapPlaces(experiment, (paths, use) => {
      const other = othersThere(told, folder, paths, use);
      parts.push({ use, paths, isElsewhere: isElsewhere(told, paths, use), other });
      return paths;
    });
    this.#folder = folder;
    this.#parts = parts;
    this.#lines = records.find((record) => record.type === "parents")?.tensors ?? {};
  }

  /** Parents that are elsewhere than the run is known to have found them. */
  get movedParents(): readonly string[] {
    return this.#parts.flatMap(({ use, isElsewhere: isMoved }) =>
      isMoved && use.model !== undefined ? [use.model] : [],
    );
  }

  /** Whether anything is. */
  get isMoved(): boolean {
    return this.#parts.some((part) => part.isElsewhere);
  }

  /**
   * Of a parent whose tensor is another, or missing; `found` is its line. Undefined for one that was not moved: its file has
   * changed.
   */
  refuseTensor(name: string, tensor: string, found?: string): string | undefined {
    const part = this.#parts.find(({ use, isElsewhere: isMoved }) => isMoved && use.model === name);
    if (!part) return undefined;
    const owners = Object.keys(this.#lines).filter(
      (other) => found !== undefined && this.#lines[other]?.[tensor] === found,
    );
    const [owner] = owners;
    const known =
      owner === undefined || owners.length > 1 ? "" : `, it is ${owner === BASE ? "the base" : `expert ${owner}`}`;
    return this.#refuse([part], `${found === undefined ? "it has no" : "another"} tensor ${tensor}${known}`);
  }

  /** Of what an identity names; `found` is what it is now, both as short hashes. */
  refuseIdentity(name: string, { expected, found }: { readonly expected: string; readonly found: string }): string {
    const parts = this.#parts.filter(({ use }) => isNamedBy(name, use));
    const moved = parts.filter((part) => part.isElsewhere && !part.use.isPlugin);
    const difference = `${name}: expected ${expected} as when the run began, found ${found}`;
    if (moved.length > 0) return this.#refuse(moved, difference);
    const files = parts.flatMap(({ paths }) => paths).join(", ");
    return `${this.#folder}: ${difference}${files && ` in ${files}`}; restore what was changed, or start a new run`;
  }

  #refuse(parts: readonly Placed[], why: string): string {
    const what = parts.map(({ use }) => use.what).join(" and the ");
    const paths = parts.flatMap((part) => part.paths).join(", ");
    const options = parts.map(({ use }) => use.option).join(" ");
    const others = parts.flatMap(({ use, other = [] }) => other.map((path) => optionFor(use, path)));
    const perhaps = others.length === 0 ? "" : `, perhaps ${others.join(" ")}`;
    return `${this.#folder}: ${paths}: not the ${what} that the run began with (${why}); say where that is with ${options}${perhaps}`;
  }
}

/** Names of an identity are those of `identify`. */
function isNamedBy(name: string, { model, what }: PathUse): boolean {
  if (model !== undefined) return model === BASE && (name === "tokenizer" || name === "config.json of base");
  return name === what || `guard ${name}` === what;
}
