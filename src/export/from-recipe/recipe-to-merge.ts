import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { MergePlan, PlanOptions } from "../../mergekit/plan-merge.ts";
import type { DescriptionFile } from "../../model-folder/description-files.ts";
import type { RecipeVocabulary } from "./one-vocabulary.ts";
import type { ModelToOpen } from "./open-models.ts";

/** A recipe of either kind, as far as it is known without its models. */
export interface RecipeToMerge {
  /** Where it was read, if it is a file that faults of the plan do not name. */
  readonly path?: string | undefined;
  /** By the names that the plan has them by. */
  readonly models: ReadonlyMap<string, ModelToOpen>;
  /** The name of the model whose configuration and tokenizer the merge takes. */
  readonly donor: string;
  readonly chatTemplate?: string | undefined;
  /** Whose tokens the merge has, where the recipe says it. */
  readonly tokenizer?: RecipeVocabulary | undefined;
  /** What the card says: the method and the recipe as a file. */
  readonly method: string;
  readonly text: string;
  /** A UserError where models do not fit the recipe or each other. */
  readonly plan: (models: ReadonlyMap<string, Checkpoint>, options: PlanOptions) => MergePlan;
  /** The recipe as files beside the weights. */
  readonly files: (models: ReadonlyMap<string, Checkpoint>) => ReadonlyMap<DescriptionFile, string | Uint8Array>;
}
