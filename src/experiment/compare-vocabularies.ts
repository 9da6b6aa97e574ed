/** Whether models can have one vocabulary, and which. */
import {
  ownerOf,
  planVocabulary,
  type Vocabulary,
  type VocabularyParent,
  type VocabularyPolicy,
} from "../vocabulary/plan-vocabulary.ts";
import type { ParentFiles } from "./parent-files.ts";
import { type DescribedParent, orReason, type ParentFinding } from "./parent-finding.ts";
import { doubts, fault, tooManyTokens, vocabularyFindings } from "./tokenizer-findings.ts";

interface ComparedVocabularies {
  /** By folder of the model. */
  readonly findings: ReadonlyMap<string, readonly ParentFinding[]>;
  readonly vocabulary?: Vocabulary;
}

interface VocabularyOptions {
  readonly policy: VocabularyPolicy;
  readonly adapters: readonly ParentFiles[];
  readonly signal: AbortSignal | undefined;
}

/** Plans the vocabulary of full models of one family, the base first, and tells what each has otherwise. */
export async function compareVocabularies(
  models: readonly [DescribedParent, ...DescribedParent[]],
  { policy, adapters, signal }: VocabularyOptions,
): Promise<ComparedVocabularies> {
  const [first, ...more] = models.map(vocabularyOf);
  if (!first) return { findings: new Map() };
  const { folder: owned } = ownerOf([first, ...more], policy);
  const owner = models.find(({ parent }) => parent.folder === owned) ?? models[0];
  const wrong = tooManyTokens(owner) ?? whyNoOwner(policy, adapters);
  const plan = wrong ?? (await orReason(() => planVocabulary([first, ...more], policy, { signal })));
  if (typeof plan === "string") return { findings: new Map([[owned, [fault(owner.parent, plan)]]]) };
  const findings = new Map(vocabularyFindings([first, ...more], policy, plan));
  findings.set(owned, [...doubts(owner), ...(findings.get(owned) ?? [])]);
  return { findings, vocabulary: plan.vocabulary };
}

function vocabularyOf({ parent: { name, folder }, model, tokenizer }: DescribedParent): VocabularyParent {
  return { name, folder, rows: model.vocabularySize, tokenizer };
}

/** An adapter has no embeddings of its own. */
function whyNoOwner(policy: VocabularyPolicy, adapters: readonly ParentFiles[]): string | undefined {
  const adapter = typeof policy !== "string" && adapters.find(({ folder }) => folder === policy.of);
  if (!adapter) return undefined;
  return `${adapter.name}: tokenizer: expected base, union or an expert that is a full model, found a LoRA adapter, which has the embeddings of its base; name base`;
}
