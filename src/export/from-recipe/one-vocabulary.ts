/** The models of a recipe with the tokens that their merge has. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { hasRowsOfTokens } from "../../checkpoint/vocabulary/token-tensors.ts";
import { UserError } from "../../errors.ts";
import { firstFault, orReason } from "../../experiment/parent-finding.ts";
import { vocabularyFindings } from "../../experiment/tokenizer-findings.ts";
import { Tokenizer, type TokenizerSource } from "../../model/tokenizer/tokenizer.ts";
import type { ConfigChanges } from "../../vocabulary/config-changes.ts";
import { planVocabulary, type VocabularyParent, type VocabularyPolicy } from "../../vocabulary/plan-vocabulary.ts";
import { viewCheckpoints } from "../../vocabulary/view-checkpoints.ts";
import type { OpenedModel } from "./open-models.ts";

/** What a recipe says of tokens. */
export interface RecipeVocabulary {
  /** `base`, which is its first model, `union`, or the name of one of its models. */
  readonly source: string;
  /** What the number of embeddings is to be a multiple of. */
  readonly padTo?: number | undefined;
}

export interface OneVocabulary {
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  /** What the config.json of the first model has otherwise. */
  readonly changes: ConfigChanges;
  /** Whose tokens the merge has, where that is not the first model. */
  readonly tokenizer?: TokenizerSource;
}

interface OneVocabularyOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onNotice: (text: string) => void;
}

/**
 * Gives the models of a recipe, the first of which is its base, one vocabulary. Where no tokenizer is asked for and one of theirs
 * cannot be read, rows of embeddings have their places. A UserError where there is no one vocabulary.
 */
export async function oneVocabulary(
  opened: ReadonlyMap<string, OpenedModel>,
  asked: RecipeVocabulary | undefined,
  { signal, onNotice }: OneVocabularyOptions,
): Promise<OneVocabulary> {
  const checkpoints = new Map(Array.from(opened, ([name, { checkpoint }]) => [name, checkpoint]));
  const parents = await orReason(() => parentsIn(opened, signal));
  if (typeof parents === "string") {
    if (asked)
      throw new UserError(
        `recipe: tokenizer: ${parents}; leave it out where all models have one vocabulary, or use models with a tokenizer`,
      );
    // Where nobody has a tokenizer, there are no tokens to speak of.
    if ([...opened.values()].some(({ folder }) => hasTokenizer(folder)))
      onNotice(`rows of embeddings are merged by their places, whatever their tokens are: ${parents}`);
    return { checkpoints, changes: {} };
  }
  const policy = policyOf(asked, opened);
  const plan = await planVocabulary(parents, policy, { padTo: asked?.padTo, signal });
  const findings = [...vocabularyFindings(parents, policy, plan).values()].flat();
  const fault = firstFault(findings);
  if (fault !== undefined) throw new UserError(fault);
  for (const { text } of findings) onNotice(text);
  const folderOf = (name: string): string => opened.get(name)?.folder ?? "";
  return { ...viewCheckpoints(checkpoints, plan.vocabulary, folderOf), tokenizer: plan.vocabulary.tokenizer };
}

type ParentsToPlan = [VocabularyParent, ...VocabularyParent[]];

/** Every full model once; a UserError where one lacks what a vocabulary is known by. */
async function parentsIn(opened: ReadonlyMap<string, OpenedModel>, signal?: AbortSignal): Promise<ParentsToPlan> {
  const folders = new Map(Array.from(opened.values(), (one) => [one.folder, one.checkpoint]));
  const parents: VocabularyParent[] = [];
  for (const [folder, checkpoint] of folders) {
    const rows = rowsOf(checkpoint);
    if (rows === undefined) throw new UserError(`${folder} has no embeddings of a known name`);
    if (!hasTokenizer(folder)) throw new UserError(`${folder} has no tokenizer.json with a tokenizer_config.json`);
    parents.push({ name: folder, folder, rows, tokenizer: await Tokenizer.describe(folder, signal) });
  }
  return parents as ParentsToPlan;
}

function policyOf(
  { source }: RecipeVocabulary = { source: "base" },
  opened: ReadonlyMap<string, OpenedModel>,
): VocabularyPolicy {
  if (source === "base" || source === "union") return source;
  const named = opened.get(source);
  if (named) return { of: named.folder };
  const names = ["base", "union", ...opened.keys()].join(", ");
  throw new UserError(`recipe: tokenizer: expected ${names}, found ${source}; name a model of the recipe`);
}

function hasTokenizer(folder: string): boolean {
  return ["tokenizer.json", "tokenizer_config.json"].every((file) => existsSync(join(folder, file)));
}

/** Rows of its embeddings. */
function rowsOf({ tensors }: Checkpoint): number | undefined {
  const found = Array.from(tensors.values()).find(({ name, shape }) => hasRowsOfTokens(name) && shape.length === 2);
  return found?.shape[0];
}
