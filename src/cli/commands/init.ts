import { existsSync } from "node:fs";
import { basename, isAbsolute, join, relative, resolve } from "node:path";
import { UserError } from "../../errors.ts";
import { nameSchema } from "../../experiment/experiment-schema.ts";
import { namesHub } from "../../experiment/sources.ts";
import { openHub } from "../../hub/api/hub.ts";
import { checkModels } from "../../init/check-models.ts";
import { draftOf } from "../../init/draft-of.ts";
import type { Draft } from "../../init/experiment-text.ts";
import type { FoundModel } from "../../init/find-models.ts";
import { givenModel, givenRows, givenSpace } from "../../init/given-places.ts";
import { nameAfter } from "../../init/key-for.ts";
import { lookAround, type Surroundings } from "../../init/look-around.ts";
import { proposeBase, proposeExperts } from "../../init/propose.ts";
import { fileIsThere, writeDraft } from "../../init/write-draft.ts";
import { durationSchema } from "../../config/duration.ts";
import { commandFor, ownCommand } from "../invocation.ts";
import { printSentence, tell } from "../output.ts";
import { Questions } from "../questions.ts";

export interface InitCommandOptions {
  readonly base?: string | undefined;
  /** By the names that they shall have, if any. */
  readonly expert?: readonly GivenExpert[] | undefined;
  readonly rows?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly guard?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly space?: string | undefined;
  readonly budget?: string | undefined;
  /** Of the experiment and its file; else the file is `experiment.yaml`, and the experiment is called after its folder. */
  readonly name?: string | undefined;
  /** Whether to take what is proposed without a question. */
  readonly yes?: boolean | undefined;
}

export interface GivenExpert {
  readonly name?: string;
  readonly model: string;
}

/** `evomerge init`: writes an experiment from models and rows that are found or given, and says how to go on. */
export async function initCommand(folder: string, options: InitCommandOptions): Promise<void> {
  const { name = "experiment" } = options;
  if (!nameSchema.safeParse(name).success)
    throw new UserError(`--name: expected letters, digits, _, - and ., not just digits, found ${name}`);
  const file = join(folder, `${name}.yaml`);
  if (existsSync(file)) throw fileIsThere(file);
  const hub = await openHub();
  const found = await lookAround(resolve(folder), hub);
  for (const { place, why } of found.unfit) tell(`left out ${shown(place)}: ${why}`);
  using questions = new Questions(!options.yes && Questions.areAnswered);
  const base = await chooseBase(found, folder, options, questions);
  const chosen = await chooseExperts(found, base, options, questions);
  const given = options.expert !== undefined;
  const checked = await checkModels(base, chosen, hub, given);
  for (const { place, why } of checked.others) tell(`left out ${shown(place)}: ${why}`);
  for (const notice of checked.notices) tell(`note: ${notice}`);
  const rows = options.rows ?? {};
  tellRows(found, rows);
  const draft = draftOf({
    // So that runs of several folders are told apart.
    name: options.name === undefined ? nameAfter([basename(resolve(folder)), base.name]) : undefined,
    base,
    experts: checked.experts,
    names: options.expert?.map(({ name }) => name),
    found: found.tasks,
    rows: new Map(Object.entries(rows).map(([task, texts]) => [task, givenRows(task, texts)])),
    guard: new Map(Object.entries(options.guard ?? {}).map(([task, texts]) => [task, givenRows(task, texts)])),
    space: options.space === undefined ? undefined : givenSpace(options.space),
    budget: options.budget ?? (await askBudget(questions)),
  });
  const isOnHub = namesHub(await writeDraft(file, draft));
  printSentence(writtenText(file, draft, base));
  if (isOnHub) printSentence("see what it fetches with:", `${commandFor("fetch", file)} --dry-run`);
  printSentence("see what it will take with:", `${commandFor("plan", file)} --export`);
  printSentence("run it with:", `${commandFor("run", file)} --export`);
}

function writtenText(file: string, { experts, tasks, budget }: Draft, base: FoundModel): string {
  const [merged, scored] = [experts, tasks].map((all) => [...all.keys()].join(", "));
  return `wrote ${file}: base ${base.name}; experts ${merged}; tasks ${scored}; ${budget}`;
}

async function chooseBase(
  { models }: Surroundings,
  folder: string,
  { base }: InitCommandOptions,
  questions: Questions,
): Promise<FoundModel> {
  if (base !== undefined) return givenModel(base);
  if (models.length === 0)
    throw new UserError(
      `no models are in ${folder} or the Hub's cache; name some with --base and --expert, or see the shipped ones with ${ownCommand()} run demo`,
    );
  const full = models.filter(({ identity }) => identity);
  listModels("models", full);
  const proposed = proposeBase(models);
  if (proposed) tell(`base: ${shown(proposed.model.place)}, ${proposed.why}`);
  const names = full.map(({ place }) => shown(place)).join(", ");
  return questions.ask({
    text: "base, by number or as a folder or org/name",
    preset: proposed && String(full.indexOf(proposed.model) + 1),
    missing: `which model is the experts' common ancestor cannot be told; name it with --base: ${names || "no full model is here"}`,
    read: async (answer) => numbered(full, answer) ?? givenModel(answer),
  });
}

async function chooseExperts(
  { models }: Surroundings,
  base: FoundModel,
  { expert }: InitCommandOptions,
  questions: Questions,
): Promise<readonly FoundModel[]> {
  if (expert) return Promise.all(expert.map(({ model }) => givenModel(model)));
  const { experts, others } = proposeExperts(models, base);
  for (const { place, why } of others) tell(`left out ${shown(place)}: ${why}`);
  listModels("experts", experts);
  return questions.ask({
    text: "experts, by numbers or as folders or org/name, with spaces between",
    preset: experts.length === 0 ? undefined : experts.map((_, i) => i + 1).join(" "),
    missing: `no model that fits the base ${shown(base.place)} was found; name experts with --expert`,
    read: (answer) => Promise.all(answer.split(/\s+/).map(async (word) => numbered(experts, word) ?? givenModel(word))),
  });
}

function tellRows({ tasks }: Surroundings, given: object): void {
  if (Object.keys(given).length > 0) return;
  if (tasks.length === 0) tell("rows: none are here; those of the LLM-Merging competition, of the Hub");
  for (const { name, rows, guard } of tasks) {
    const judging = guard ? `, and ${shown(guard.path)} for the verdict` : "";
    tell(`rows of ${name}: ${shown(rows.path)}${judging}`);
  }
}

function listModels(what: string, models: readonly FoundModel[]): void {
  tell(`${what}:${models.length === 0 ? " none" : ""}`);
  for (const [i, { place }] of models.entries()) tell(`  ${i + 1} ${shown(place)}`);
}

/** A folder as seen from here where it lies within. */
function shown(place: string): string {
  const path = isAbsolute(place) ? relative("", place) : place;
  return path === "" ? "." : path.startsWith("..") ? place : path;
}

function numbered(models: readonly FoundModel[], answer: string): FoundModel | undefined {
  return /^\d+$/.test(answer) ? models[Number(answer) - 1] : undefined;
}

function askBudget(questions: Questions): Promise<string> {
  return questions.ask({
    text: "budget of time, such as 10m or 1h",
    preset: "1h",
    missing: "",
    read: (answer) => {
      if (durationSchema.safeParse(answer).success) return answer;
      throw new UserError(`expected a time such as 90s, 10m or 1h, found ${JSON.stringify(answer)}`);
    },
  });
}
