/** What tells two models' tokenizers apart, and what is odd about one. */
import { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import type { ParentFiles } from "./parent-files.ts";
import { type DescribedParent, orReason, type ParentFinding } from "./parent-finding.ts";

/** Differences of tokenizers that a sentence names. */
const MOST_NAMED = 3;

/** Why its rows may score otherwise than in lm_eval. */
export function doubts({ parent: { name }, tokenizer: { doubt } }: DescribedParent): ParentFinding[] {
  return doubt === undefined ? [] : [{ name, about: "tokenizer", verdict: "notice", text: `${name}: ${doubt}` }];
}

/** What a model's tokenizer has otherwise than the base's. */
export async function tokenizerFindings(
  { name, folder }: Pick<ParentFiles, "name" | "folder">,
  { parent: base }: DescribedParent,
  signal: AbortSignal | undefined,
): Promise<ParentFinding[]> {
  const finding = (verdict: ParentFinding["verdict"], text: string): ParentFinding[] => [
    { name, about: "tokenizer", verdict, text: `${name}: ${text}` },
  ];
  const compared = await orReason(() => Tokenizer.compare(base.folder, folder, signal));
  if (typeof compared === "string") return finding("fault", compared);
  const { faults, notices } = compared;
  if (faults.length > 0) {
    const differences = `its tokenizer is not that of the base ${base.name}: ${inShort(faults)}`;
    return finding("fault", `${differences}; only models of one vocabulary merge`);
  }
  if (notices.length === 0) return [];
  return finding("notice", `the tokenizer of the base is used for all models; this one's differs: ${inShort(notices)}`);
}

/** The first of the differences, in one clause. */
function inShort(differences: readonly string[]): string {
  const more = differences.length - MOST_NAMED;
  return differences.slice(0, MOST_NAMED).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

/** Added tokens may lie beyond, such as a padding token of some Llamas 2 that have no embedding for it; rows tell. */
export function tooManyTokens({ parent: { name }, model, tokenizer }: DescribedParent): string | undefined {
  if (tokenizer.textVocabularySize <= model.vocabularySize) return undefined;
  return `${name}: its tokenizer has ${tokenizer.textVocabularySize} tokens, its config.json ${model.vocabularySize} embeddings; the tokenizer is another model's`;
}
