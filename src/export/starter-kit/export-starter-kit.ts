import { basename, join, resolve } from "node:path";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import type { TensorSpec } from "../../checkpoint/write-checkpoint.ts";
import { UserError } from "../../errors.ts";
import type { Experiment } from "../../experiment/experiment.ts";
import { type HubReference, isPinned, parseReference } from "../../hub/api/reference.ts";
import { formulaRecipe } from "../../merge/formula-recipe.ts";
import type { ParentFacts } from "../../merge/facts.ts";
import type { Step, WeightwiseRecipe } from "../../merge/recipe.ts";
import { allWeights, type Model } from "../../model/architecture.ts";
import { kitName } from "./kit-name.ts";
import { readKit, type Registration } from "./kit-checkout.ts";
import { checkOurs, sealed } from "./sealed-text.ts";
import { starterKitModule } from "./starter-kit-module.ts";
import { insertionDiff } from "./unified-diff.ts";

/** A merge and what it was found for. */
export interface StarterKitInput {
  /** Its base and experts are `org/name@commit`. */
  readonly experiment: Pick<Experiment, "name" | "base" | "experts">;
  readonly recipe: WeightwiseRecipe;
  /** What a merge asks for of the parents' weight of that name. */
  readonly measure: (weight: string, step: Step) => Promise<ParentFacts>;
  readonly model: Model;
  /** The base's tensors by name: the merged ones have their dtypes. */
  readonly baseTensors: ReadonlyMap<string, Pick<TensorSpec, "dtype">>;
  /** Of evomerge. */
  readonly version: string;
}

/** What an export left in a checkout of the starter kit, and what is left to do there. */
export interface StarterKitExport {
  readonly checkout: string;
  /** The file of the class. */
  readonly module: string;
  /** The file of the diff that registers the class; absent where it is registered already. */
  readonly patch?: string;
  /** The lines that the diff adds, each with its file. */
  readonly registration: readonly string[];
  /** What to run in the checkout: `git apply`, what else the kit needs, then merge and evaluation. */
  readonly commands: readonly string[];
}

/**
 * Writes a merge into a checkout of the LLM-Merging competition's starter kit as a class of its own, and a patch that
 * registers the class. A UserError for a folder that is no such checkout, for parents that the kit could not download,
 * and where the checkout has a file of either name that no export wrote, or that was edited since.
 */
export async function exportStarterKit(input: StarterKitInput, folder: string): Promise<StarterKitExport> {
  return (await planStarterKit(input, folder))();
}

/** What `exportStarterKit` does as a function that does it, once everything that it would refuse has been looked at. */
export async function planStarterKit(input: StarterKitInput, folder: string): Promise<() => Promise<StarterKitExport>> {
  const { experiment, model, baseTensors, version } = input;
  const name = kitName(experiment.name);
  const base = pinned("the base", experiment.base);
  const experts = experiment.experts.map((expert) => ({
    name: expert.name,
    reference: pinned(`expert ${expert.name}`, expert.path),
  }));
  const checkout = resolve(folder);
  const kit = await readKit(checkout, name);
  const weights = allWeights(model).map((weight) => ({ ...weight, dtype: dtypeOf(weight.name, baseTensors) }));
  // The class computes what the method's formula does, and nothing of whole tensors.
  const recipe = await formulaRecipe(
    input.recipe,
    weights,
    experts.map((expert) => expert.name),
    input.measure,
  );
  const source = { ...name, recipe, base, experts, weights, model, version };

  const module = join(checkout, "llm_merging", "merging", `${name.className}.py`);
  const missing = kit.registrations.filter(({ at }) => at !== undefined);
  const patch = join(checkout, `${name.className}.patch`);
  const files = new Map([
    [module, sealed(starterKitModule(source), version)],
    ...(missing.length > 0 ? [[patch, sealed(missing.map(diffOf).join(""), version)] as const] : []),
  ]);
  for (const path of files.keys()) await checkOurs(path);
  const planned: StarterKitExport = {
    checkout,
    module,
    ...(missing.length > 0 && { patch }),
    registration: missing.map(({ path, line }) => `${path}: ${line.trim()}`),
    commands: [
      ...(missing.length > 0 ? [`git apply ${basename(patch)}`] : []),
      ...(kit.refresh === undefined ? [] : [kit.refresh]),
      `PYTHONPATH=. python llm_merging/main.py -m ${name.method}`,
    ],
  };
  return async () => {
    // Hours may have gone by.
    for (const path of files.keys()) await checkOurs(path);
    for (const [path, text] of files) await writeFileAtomic(path, text);
    return planned;
  };
}

function pinned(parent: string, text: string): HubReference {
  const reference = parseReference(text);
  if (reference && isPinned(reference)) return reference;
  throw new UserError(
    `${parent}: expected a Hugging Face repository at a commit, as org/name@<40 hex digits>, which the starter kit can download, found ${text}; push it to the Hub and name that commit in the experiment`,
  );
}

function dtypeOf(name: string, tensors: StarterKitInput["baseTensors"]): TensorSpec["dtype"] {
  const found = tensors.get(name);
  if (!found) throw new Error(`starter kit: the base has no tensor ${name}`);
  return found.dtype;
}

function diffOf({ path, text, at = 0, line }: Registration): string {
  return insertionDiff(path, text, at, line);
}
