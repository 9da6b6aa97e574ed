/** What tells two models' tokenizers apart, and what is odd about one. */
import { showUntrusted as show } from "../files/show-untrusted.ts";
import type { TokenizerComparison } from "../model/tokenizer/tokenizer.ts";
import { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { ownerOf, type VocabularyPlan, type VocabularyPolicy } from "../vocabulary/plan-vocabulary.ts";
import type { ParentFiles } from "./parent-files.ts";
import { type DescribedParent, orReason, type ParentFinding } from "./parent-finding.ts";

type NamedFolder = Pick<ParentFiles, "name" | "folder">;

/** Differences of tokenizers, or tokens, that a sentence names. */
const MOST_NAMED = 3;

/** Why its rows may score otherwise than in lm_eval. */
export function doubts({ parent: { name }, tokenizer: { doubt } }: DescribedParent): ParentFinding[] {
  return doubt === undefined ? [] : [finding(name, "notice", doubt)];
}

/** Added tokens may lie beyond, such as a padding token of some Llamas 2 that have no embedding for it; rows tell. */
export function tooManyTokens({ parent: { name }, model, tokenizer }: DescribedParent): string | undefined {
  if (tokenizer.textVocabularySize <= model.vocabularySize) return undefined;
  return `${name}: its tokenizer has ${tokenizer.textVocabularySize} tokens, its config.json ${model.vocabularySize} embeddings; the tokenizer is another model's`;
}

/** What the models that a vocabulary was planned for, the base first, have otherwise than it, by folder. */
export function vocabularyFindings(
  parents: readonly [NamedFolder, ...NamedFolder[]],
  policy: VocabularyPolicy,
  { differences }: Pick<VocabularyPlan, "differences">,
): ReadonlyMap<string, readonly ParentFinding[]> {
  const [base] = parents;
  const owner = ownerOf(parents, policy);
  const [called, whole] = owner === base ? ["the base", `the base ${base.name}`] : [owner.name, owner.name];
  // Those of the base, and behind them in a union those of others.
  const notInBase = new Set(policy === "union" ? differences.get(base.folder)?.lacking : []);
  const found = parents.flatMap(({ name, folder }): [string, ParentFinding[]][] => {
    const own = differences.get(folder);
    if (!own) return [];
    const reason = faultOf(own, whole);
    if (reason !== undefined) return [[folder, [finding(name, "fault", reason)]]];
    const lacking = new Set(own.lacking);
    const brought = folder === base.folder ? [] : [...notInBase].filter((token) => !lacking.has(token));
    const missing = own.lacking.filter((token) => !notInBase.has(token));
    const sentences = [
      ...otherwise(own, called),
      ...about(
        own.leftOut,
        (tokens) =>
          `${added(tokens)} left out, since the tokenizer of ${called} is used for all models; set tokenizer: union to keep ${them(tokens)}`,
      ),
      ...about(brought, (tokens) => `${added(tokens)} kept, with embeddings behind those of the base`),
      ...about(
        missing,
        (tokens) =>
          `it lacks ${listOf(tokens)} of ${called}; a merge has ${owner === base ? "the base's" : "others'"} embeddings there`,
      ),
      ...about(
        own.moved.filter((token) => !notInBase.has(token)),
        (tokens) => `it has ${listOf(tokens)} under other ids than ${called}; embeddings are merged by token`,
      ),
    ];
    return [[folder, sentences.map((sentence) => finding(name, "notice", sentence))]];
  });
  return new Map(found);
}

/** What the tokenizer beside an adapter has otherwise than the base's, whose embeddings the adapter has. */
export async function adapterTokenizerFindings(
  { name, folder }: NamedFolder,
  { parent: base, model: { vocabularySize: rows } }: DescribedParent,
  signal: AbortSignal | undefined,
): Promise<ParentFinding[]> {
  const reference = { folder: base.folder, rows, called: "the base" };
  const compared = await orReason(() => Tokenizer.compare(reference, { folder, rows }, signal));
  if (typeof compared === "string") return [finding(name, "fault", compared)];
  const reason = faultOf(compared, `the base ${base.name}`);
  if (reason !== undefined) return [finding(name, "fault", reason)];
  const leftOut = about(
    compared.leftOut,
    (tokens) => `${added(tokens)} left out, since an adapter has the embeddings of its base`,
  );
  return [...otherwise(compared, "the base"), ...leftOut].map((sentence) => finding(name, "notice", sentence));
}

/** Of a sentence that names the model itself. */
export function fault({ name }: Pick<ParentFiles, "name">, text: string): ParentFinding {
  return { name, about: "tokenizer", verdict: "fault", text };
}

function finding(name: string, verdict: ParentFinding["verdict"], text: string): ParentFinding {
  return { name, about: "tokenizer", verdict, text: `${name}: ${text}` };
}

function faultOf({ faults }: TokenizerComparison, whose: string): string | undefined {
  if (faults.length === 0) return undefined;
  return `its tokenizer is not that of ${whose}: ${inShort(faults)}; only models of one vocabulary merge`;
}

function otherwise({ notices }: TokenizerComparison, called: string): string[] {
  if (notices.length === 0) return [];
  return [`the tokenizer of ${called} is used for all models; this one's differs: ${inShort(notices)}`];
}

function about(tokens: readonly string[], sentence: (tokens: readonly string[]) => string): string[] {
  return tokens.length === 0 ? [] : [sentence(tokens)];
}

/** The first of the differences, in one clause. */
function inShort(differences: readonly string[]): string {
  const more = differences.length - MOST_NAMED;
  return differences.slice(0, MOST_NAMED).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

function added(tokens: readonly string[]): string {
  return tokens.length === 1 ? `its added token ${listOf(tokens)} is` : `its added tokens ${listOf(tokens)} are`;
}

function them(tokens: readonly string[]): string {
  return tokens.length === 1 ? "it" : "them";
}

function listOf(tokens: readonly string[]): string {
  const named = tokens.slice(0, MOST_NAMED).map((token) => show(token));
  const more = tokens.length - named.length;
  const all = more > 0 ? [...named, `${more} more`] : named;
  return all.length === 1 ? (all[0] ?? "") : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}
