/** Models as they are with the tokens of their merge. */
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { GatheredFile, type LentRow } from "../checkpoint/vocabulary/gathered-file.ts";
import { HEAD } from "../checkpoint/adapter/embeddings.ts";
import { UserError } from "../errors.ts";
import { allWeights } from "../model/architecture.ts";
import { openModel } from "../model/open-model.ts";
import { type ConfigChanges, configChanges, withChanges } from "./config-changes.ts";
import type { Vocabulary } from "./plan-vocabulary.ts";

/** Models of one vocabulary. */
export interface ViewedCheckpoints {
  /** By the same names; what they read is closed with those that they were made of. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  /** What is to be changed in the config.json of the base. */
  readonly changes: ConfigChanges;
}

/**
 * Gives models, the base first, the embeddings of a vocabulary: the row of each token is the model's own; where it has none, the
 * base's, else the mean of those that have one. If one of them has a head beside the embedding, all have: where the two are tied,
 * the head is the embedding. A model that has all that already stays as it is. An adapter has the tokens of the model whose folder
 * `folderOf` tells, which is the first unless given. Reads no weight.
 */
export function viewCheckpoints(
  checkpoints: ReadonlyMap<string, Checkpoint>,
  vocabulary: Vocabulary,
  folderOf?: (name: string) => string,
): ViewedCheckpoints {
  const all = [...checkpoints.values()];
  const [base] = all;
  if (!base) throw new Error("vocabulary: no model");
  const folders = new Map(
    Array.from(checkpoints, ([name, one]) => [one, folderOf?.(name) ?? (one.isAdapter ? base : one).folder]),
  );
  const hasHead = all.some(hasOwnHead);
  const owner = all.find((one) => folders.get(one) === vocabulary.tokenizer.folder) ?? base;
  const changes = configChanges(base.config, {
    rows: vocabulary.rows,
    isUntied: hasHead && !hasOwnHead(base),
    owner: owner.config,
  });
  // An adapter lends nothing that its base does not.
  const lenders = all.filter(({ isAdapter }) => !isAdapter);
  const idsOf = (checkpoint: Checkpoint): Int32Array | undefined => vocabulary.ids.get(folders.get(checkpoint) ?? "");
  const lent = lentRows(
    lenders.map((lender) => ({ lender, ids: idsOf(lender) })),
    vocabulary.rows,
  );
  const viewed = Array.from(checkpoints, ([name, checkpoint]): [string, Checkpoint] => {
    const ids = idsOf(checkpoint);
    const isSame = ids === undefined && hasOwnHead(checkpoint) === hasHead;
    if (isSame && (checkpoint !== base || Object.keys(changes).length === 0)) return [name, checkpoint];
    const own = ids ?? Int32Array.from({ length: vocabulary.rows }, (_, row) => row);
    const rows = { own, lent: new Map([...lent].filter(([row]) => (own[row] ?? -1) < 0)), hasHead };
    const config = withChanges(checkpoint.config, {
      ...changes,
      vocab_size: vocabulary.rows,
      ...(hasHead && { tie_word_embeddings: false }),
    });
    return [name, checkpoint.through(config, (file) => (isSame ? file : new GatheredFile(file, rows)))];
  });
  return { checkpoints: new Map(viewed), changes };
}

/** Whether a head stands beside the embedding, as the model says, or where it is of no known family, its tensors. */
function hasOwnHead(checkpoint: Pick<Checkpoint, "folder" | "config" | "tensors">): boolean {
  try {
    return allWeights(openModel(checkpoint, "f32")).some(({ name }) => name === HEAD);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return checkpoint.config["tie_word_embeddings"] !== true && checkpoint.tensors.has(HEAD);
  }
}

interface Lending {
  readonly lender: Checkpoint;
  /** In place where none are given. */
  readonly ids: Int32Array | undefined;
}

/** The rows that stand where a model has none, by row; the base comes first and is asked first. */
function lentRows(all: readonly Lending[], rows: number): ReadonlyMap<number, readonly LentRow[]> {
  const lent = new Map<number, readonly LentRow[]>();
  if (all.every(({ ids }) => ids === undefined)) return lent;
  for (let row = 0; row < rows; row += 1) {
    const found = all.map(({ lender, ids }) => ({ lender, row: ids ? (ids[row] ?? -1) : row }));
    if (found.every((one) => one.row >= 0)) continue;
    const owners = found.filter((one) => one.row >= 0);
    const [base] = found;
    lent.set(row, base && base.row >= 0 ? [base] : owners);
  }
  return lent;
}
