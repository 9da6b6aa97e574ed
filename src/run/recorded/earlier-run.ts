/**
 * What a run takes of an earlier one that it begins from: the winner's recipe, and what is known of the rows. The guard must be new to
 * every search that the run descends from.
 * @module
 */
import { basename, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../errors.ts";
import type { Experiment, StartingRun } from "../../experiment/experiment.ts";
import { expectTensors, identifyRows } from "../../experiment/identity.ts";
import type { Task } from "../../experiment/load-tasks.ts";
import { BASE } from "../../experiment/the-base.ts";
import type { Workspace } from "../../experiment/workspace.ts";
import { realPath } from "../../files/real-path.ts";
import { type JournalView, readJournal } from "../../journal/journal.ts";
import type { StartRecord } from "../../journal/records.ts";
import { earlierLooks, standingOf } from "../../journal/standing.ts";
import type { Recipe } from "../../merge/recipe.ts";
import { ofOtherParents } from "../../space/other-parents.ts";
import { genomeOf } from "../../space/spaces.ts";
import { quoteRow } from "../../tasks/rows.ts";
import { learntBy, requireLearner, type SearchedGenome } from "../search/learnt-by.ts";
import { leadingFind, type LeadingFind } from "./leading-find.ts";
import { readProvenTasks, type ProvenTasksOptions } from "./proven-tasks.ts";
import { experimentOf } from "./recorded-run.ts";

/** What the start of a run that begins from another says of the rows. */
type SeenBefore = Pick<StartRecord, "looks" | "searched">;

/** An earlier run that the search of an experiment begins from. */
export class EarlierRun {
  readonly #start: StartingRun;
  readonly #view: JournalView;
  readonly #experiment: Experiment;
  readonly #found: LeadingFind;
  /** Parents of the earlier run, and what they are called now. */
  readonly #names: ReadonlyMap<string, string>;

  /** Undefined where the experiment begins from none. A UserError where there is none, it has found nothing yet, or merges other experts. */
  static of(experiment: Experiment): EarlierRun | undefined {
    return experiment.start && new EarlierRun(experiment.start, experiment);
  }

  private constructor(start: StartingRun, given: Experiment) {
    const { run } = start;
    this.#start = start;
    this.#view = readJournal(run);
    this.#experiment = experimentOf(run, this.#view.records);
    this.#names = namesOf(this.#experiment, given);
    const found = leadingFind(this.#view);
    if (!found)
      throw new UserError(`${run}: the run has found nothing yet that another could begin from; let it go on first`);
    this.#found = found;
    // Before anything is fetched; a point is one of all experts.
    if (start.take === "distribution") requireLearner(run, this.#experiment, given);
    const experts = given.experts.map(({ name }) => name);
    if ("recipe" in found) ofOtherParents(found.recipe, { experts, nameOf: this.#nameOf });
    else for (const { name } of this.#experiment.experts) this.#nameOf(name);
  }

  /**
   * The experiment with what it takes, once its parents are open. A UserError where the earlier genes cannot be told any more; so is the
   * first tensor of a parent that is not what the earlier run read, when it is read.
   */
  take(experiment: Experiment, workspace: Workspace): Experiment {
    const recipe = ofOtherParents(this.#recipe(workspace), { experts: workspace.experts, nameOf: this.#nameOf });
    this.#expectParents(workspace);
    const name = this.#freeName(experiment);
    const learnt = this.#start.take === "distribution" && this.#learnt(experiment, workspace);
    const taken = {
      recipe: name,
      ...(learnt && { learnt }),
      splitSeed: this.#experiment.start?.taken?.splitSeed ?? this.#experiment.seed,
    };
    return {
      ...experiment,
      recipes: { ...experiment.recipes, [name]: { exported: recipe } },
      start: { ...this.#start, taken },
    };
  }

  /** Holds the rows of a run against those that were searched before; a UserError where any of its guard rows is one of these. */
  async meet(tasks: readonly Task[], options: ProvenTasksOptions): Promise<SeenBefore> {
    const { records } = this.#view;
    const [start] = records;
    if (start?.type !== "start") throw new Error("earlier run: a journal without a start");
    const known = Object.entries(start.identity).filter(([name]) => name.startsWith("rows of "));
    const isSame = isDeepStrictEqual(identifyRows(tasks), Object.fromEntries(known));
    const before = isSame ? tasks : await this.#tasks(options);
    const searched = new Set([...(start.searched ?? []), ...marksOf(before, "search")]);
    this.#refuseSeen(tasks, searched);
    const guard = new Set(before.flatMap((task) => task.guard.map(({ id }) => id)));
    const isJudgedBefore = tasks.some((task) => task.guard.some(({ id }) => guard.has(id)));
    const looks = isJudgedBefore ? standingOf(records).looks : earlierLooks(records);
    const own = new Set(marksOf(tasks, "search"));
    const others = [...searched].filter((mark) => !own.has(mark)).toSorted();
    return { ...(looks > 0 && { looks }), ...(others.length > 0 && { searched: others }) };
  }

  #recipe({ model }: Workspace): Recipe {
    if ("recipe" in this.#found) return this.#found.recipe;
    const { point, genes } = this.#found;
    const experts = this.#experiment.experts.map(({ name }) => name);
    const genome = genomeOf(this.#experiment.space, { base: BASE, experts, model });
    const isSame = isDeepStrictEqual(
      genome.genes.map(({ name }) => name),
      genes,
    );
    if (isSame && genome.dimension === point.length) return genome.decode(point);
    throw new UserError(
      `${this.#start.run}: its genes are not those that its search space has for these models; begin with models of its architecture and depth, or with the recipe.json of an export`,
    );
  }

  #learnt(experiment: Experiment, workspace: Workspace): ReturnType<typeof learntBy> {
    const searched = (own: Experiment): SearchedGenome => {
      const experts = own.experts.map(({ name }) => name);
      return { experiment: own, genome: genomeOf(own.space, { base: BASE, experts, model: workspace.model }) };
    };
    return learntBy(this.#start.run, this.#view, { earlier: searched(this.#experiment), now: searched(experiment) });
  }

  #expectParents(workspace: Workspace): void {
    const read = this.#view.records.find((record) => record.type === "parents")?.tensors ?? {};
    const entries = Object.entries(read).map(([name, lines]) => [this.#names.get(name) ?? "", lines] as const);
    expectTensors(workspace, { tensors: Object.fromEntries(entries) }, (name, tensor) => {
      const parent = name === BASE ? "the base" : `expert ${name}`;
      return `${this.#start.run}: expected ${parent} as the run that this one begins from read it, found another tensor ${tensor}; begin with the same models, or give what that run found as a recipe`;
    });
  }

  #refuseSeen(tasks: readonly Task[], searched: ReadonlySet<string>): void {
    for (const { name, guard } of tasks) {
      const seen = guard.filter(({ id, group }) => searched.has(id) || searched.has(group));
      const [first] = seen;
      if (!first) continue;
      throw new UserError(
        `tasks.${name}: ${this.#start.run}, which the run begins from, searched on ${seen.length} of the ${guard.length} guard rows or on others of their groups, such as ${quoteRow(first)}; the guard must be new to it: give guard rows that it did not search on`,
      );
    }
  }

  async #tasks(options: ProvenTasksOptions): Promise<readonly Task[]> {
    const { run } = this.#start;
    try {
      return await readProvenTasks(run, this.#view.records, options);
    } catch (cause) {
      if (!(cause instanceof UserError)) throw cause;
      throw new UserError(
        `whether the guard rows are new to ${run}, which the run begins from, cannot be told without its rows: ${cause.message}`,
        { cause },
      );
    }
  }

  /** One that neither a recipe nor a parent has. */
  #freeName({ recipes = {}, experts }: Experiment): string {
    const taken = new Set([...Object.keys(recipes), ...experts.map(({ name }) => name)]);
    const run = basename(resolve(this.#start.run))
      .replaceAll(/[^\w.-]/g, "-")
      .slice(0, 80);
    const name = `${"recipe" in this.#found && this.#found.isWinner ? "winner" : "best"}-of-${run}`;
    for (let number = 1; ; number += 1) {
      const free = number === 1 ? name : `${name}-${number}`;
      if (!taken.has(free)) return free;
    }
  }

  readonly #nameOf = (parent: string): string => {
    const name = this.#names.get(parent);
    if (name !== undefined) return name;
    const path = this.#experiment.experts.find((expert) => expert.name === parent)?.path ?? "";
    throw new UserError(
      `${this.#start.run}: what it found is a merge of the expert ${parent} (${path}), which the experiment does not have; name it among the experts`,
    );
  };
}

/** Experts go by their names, or by their places where these are others. */
function namesOf(earlier: Experiment, given: Experiment): ReadonlyMap<string, string> {
  const names = new Map([[BASE, BASE]]);
  for (const { name, path } of earlier.experts) {
    const same =
      given.experts.find((expert) => expert.name === name) ??
      given.experts.find((expert) => realPath(expert.path) === realPath(path));
    if (same) names.set(name, same.name);
  }
  return names;
}

/** What tells rows, and what belongs together with them: rows that say the same have one id. */
function marksOf(tasks: readonly Task[], side: "search" | "guard"): string[] {
  return tasks.flatMap((task) => task[side].flatMap(({ id, group }) => [id, group]));
}
