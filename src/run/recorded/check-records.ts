import { UserError } from "../../errors.ts";
import { showUntrusted } from "../../files/show-untrusted.ts";
import type { JournalRecord, RecordedRung, RecordPayloads, RowCounts, ScoringScope } from "../../journal/records.ts";
import type { Recipe } from "../../merge/recipe.ts";
import type { ParentNames } from "../../mergekit/parent-recipe.ts";
import type { Parents } from "../../space/coefficient.ts";
import { isStackOf, isWhole } from "../../space/is-whole.ts";
import { BASE } from "../../experiment/the-base.ts";
import { type Baseline, listBaselines } from "../baselines/baselines.ts";
import { unnamedGenes } from "../search/plan-search.ts";
import { algorithmOf, generationKind } from "../estimates/search-kind.ts";
import type { Session } from "../session/session.ts";

/**
 * Holds the records of a run against its experiment and parents: a journal may be sound in itself and of another run, or
 * of versions with other genes. A UserError for the first record that this run cannot have written.
 */
export function checkRecords(folder: string, records: readonly JournalRecord[], session: RunParts): void {
  for (const [i, record] of records.entries()) {
    const fault = faultOf(record, session);
    if (fault === undefined) continue;
    throw new UserError(
      `${folder}: record ${i + 1} of the journal: ${fault}; resume with the versions that its first record names, or restore the journal from a copy`,
    );
  }
}

type RunParts = Pick<Session, "experiment" | "genome" | "tasks" | "plugins"> & {
  readonly workspace: Parents &
    Pick<ParentNames, "model"> & {
      readonly checkpoints: ReadonlyMap<string, { readonly tensors: ReadonlyMap<string, unknown> }>;
    };
};

function faultOf(record: JournalRecord, session: RunParts): string | undefined {
  switch (record.type) {
    case "parents":
      return faultOfParents(record, session);
    case "forecast":
    case "rung":
      return faultOfRung(record, session);
    case "part":
      return record.scope && faultOfScope(record.scope, session);
    case "baselines":
      return faultOfBaselines(record, session);
    case "ask":
      return faultOfRows("search", record.rows, session);
    case "plan":
      return faultOfPlan(record, session);
    case "result":
      return faultOfGradients(record, session);
    case "finalists":
      return faultOfRecipe(record.winner.recipe, session);
    case "verdict":
      return firstFault(record.models, ({ recipe }) => faultOfRecipe(recipe, session));
    default:
      return undefined;
  }
}

function faultOfParents({ tensors }: RecordPayloads["parents"], { workspace }: RunParts): string | undefined {
  const fault = faultOfNames("parents", Object.keys(tensors), [BASE, ...workspace.experts]);
  if (fault !== undefined) return fault;
  const isKnown = Object.entries(tensors).every(([name, lines]) =>
    Object.keys(lines).every((tensor) => workspace.checkpoints.get(name)?.tensors.has(tensor)),
  );
  return isKnown ? undefined : "expected tensors that the parents have, found the name of another";
}

/** Baselines of this run, in their order, on rows that it has. */
function faultOfRung({ models, to }: RecordedRung, session: RunParts): string | undefined {
  const found = names(models);
  const expected = listed(session).flatMap(({ name }) => (found.includes(name) ? [name] : []));
  return faultOfNames("baselines", found, expected) ?? faultOfRows("search", to, session);
}

/** The rows of a part are as many as its step may score; which models they are of, the step tells. */
function faultOfScope({ rows }: ScoringScope, session: RunParts): string | undefined {
  return faultOfRows("search", rows, session) && faultOfRows("guard", rows, session);
}

function faultOfRows(side: "search" | "guard", counts: RowCounts, { tasks }: RunParts): string | undefined {
  const fault = faultOfNames("tasks", Object.keys(counts).toSorted(), names(tasks).toSorted());
  if (fault !== undefined) return fault;
  return firstFault(tasks, (task) => {
    const found = counts[task.name] ?? 0;
    const { length } = task[side];
    return found <= length ? undefined : `expected at most the ${length} ${side} rows of ${task.name}, found ${found}`;
  });
}

function faultOfBaselines({ models, scales }: RecordPayloads["baselines"], session: RunParts): string | undefined {
  const found = names(models);
  const expected = listed(session).filter(({ name }) => found.includes(name));
  const average = models.find(({ name }) => expected.some((one) => one.kind === "average" && one.name === name));
  return (
    faultOfNames("baselines", found, names(expected)) ??
    faultOfNames("tasks", Object.keys(scales).toSorted(), names(session.tasks).toSorted()) ??
    firstFault(models, ({ rows }) => faultOfRows("search", rows, session)) ??
    faultOfAverage(average?.loss)
  );
}

function listed({ experiment, workspace: { experts, model } }: RunParts): Baseline[] {
  return listBaselines(experiment, { base: BASE, experts, model });
}

/** The uniform average is the unit of losses, so the run would have ended where it had none; another may have failed. */
function faultOfAverage(loss = Number.NaN): string | undefined {
  if (Number.isFinite(loss)) return undefined;
  return `expected a finite loss of the uniform average, found ${loss}`;
}

function faultOfPlan(
  { algorithm, genes, columns = 0, candidates }: RecordPayloads["plan"],
  session: RunParts,
): string | undefined {
  const expected = {
    algorithm: algorithmOf(session),
    columns: unnamedGenes(session.genome),
    candidates: generationKind(session).candidates,
  };
  return (
    faultOfNames("genes", genes, names(session.genome.genes)) ??
    (columns === expected.columns ? undefined : `expected ${expected.columns} genes of columns, found ${columns}`) ??
    (algorithm === expected.algorithm
      ? undefined
      : `expected the optimizer ${expected.algorithm}, found ${showUntrusted(algorithm)}`) ??
    (candidates === expected.candidates
      ? undefined
      : `expected ${expected.candidates} candidates of a generation, found ${candidates}`)
  );
}

function faultOfGradients({ gradients }: RecordPayloads["result"], session: RunParts): string | undefined {
  const { usesGradients } = generationKind(session);
  if (usesGradients === (gradients !== undefined)) return undefined;
  return `expected ${usesGradients ? "" : "no "}gradients of a generation by ${algorithmOf(session)}, found ${usesGradients ? "none" : "some"}`;
}

/** Whether the recipe has a value wherever a merge of these parents looks for one. */
function faultOfRecipe(recipe: Recipe, { workspace }: RunParts): string | undefined {
  if (recipe.method === "passthrough") {
    const isParent = [BASE, ...workspace.experts].includes(recipe.model);
    return isParent ? undefined : "expected a recipe of this run's parents, found another model's name";
  }
  if (recipe.method === "stack") {
    const fits = isStackOf(recipe, { models: [BASE, ...workspace.experts], model: workspace.model });
    return fits ? undefined : "expected a stack of layers of this run's parents, found one of others";
  }
  return isWhole(recipe, workspace)
    ? undefined
    : "expected a recipe with a value for every parameter, weight and expert of this run, and none for others";
}

function faultOfNames(what: string, found: readonly string[], expected: readonly string[]): string | undefined {
  if (JSON.stringify(found) === JSON.stringify(expected)) return undefined;
  return `expected the ${expected.length} ${what} of this run, found ${found.length} that are not the same`;
}

function names(named: readonly { readonly name: string }[]): string[] {
  return named.map(({ name }) => name);
}

function firstFault<T>(items: readonly T[], faultOf: (item: T, i: number) => string | undefined): string | undefined {
  for (const [i, item] of items.entries()) {
    const fault = faultOf(item, i);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
