/** Whose tokens the merges of an experiment have. */
import type { VocabularyPolicy } from "../vocabulary/plan-vocabulary.ts";
import type { Experiment } from "./experiment.ts";

/** What `tokenizer` of an experiment says that names no expert. */
const POLICIES = ["base", "union"] as const;

/** The policy of an experiment, whose models are in the folders that `folderOf` tells by their paths. */
export function policyOf(
  { tokenizer = "base", experts }: Pick<Experiment, "tokenizer" | "experts">,
  folderOf: (path: string) => string = (path) => path,
): VocabularyPolicy {
  const known = POLICIES.find((policy) => policy === tokenizer);
  if (known) return known;
  const expert = experts.find(({ name }) => name === tokenizer);
  return expert ? { of: folderOf(expert.path) } : "base";
}

/** Why `tokenizer` of an experiment says nothing; undefined where it does. */
export function whyNoPolicy(tokenizer: string, experts: readonly string[]): string | undefined {
  if ([...POLICIES, ...experts].includes(tokenizer)) return undefined;
  return `expected ${POLICIES.join(", ")} or the name of an expert (${experts.join(", ")}), found "${tokenizer}"`;
}
