/** Whether models merge: what everything but their weights tells. Nobody else compares them. */
import { join } from "node:path";
import { openCheckpoint } from "./open-checkpoint.ts";
import { refuseAdapter } from "../checkpoint/weight-files.ts";
import { readJsonObject } from "../files/json-object.ts";
import { allWeights, type Model } from "../model/architecture.ts";
import { checkWeights, openModel } from "../model/open-model.ts";
import { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { HEAD } from "../checkpoint/adapter/embeddings.ts";
import { checkAliases } from "./check-aliases.ts";
import { adapterBeside, adapterFindings, whyNoAdapterOf } from "./compare-adapters.ts";
import { compareVocabularies } from "./compare-vocabularies.ts";
import type { ParentFiles } from "./parent-files.ts";
import { type DescribedParent, firstFault, orReason, type ParentFinding } from "./parent-finding.ts";
import { whyUnscorable } from "./scorable.ts";
import type { Vocabulary, VocabularyPolicy } from "../vocabulary/plan-vocabulary.ts";

export interface CompareParentsOptions {
  /** Whose tokens a merge has; the base's unless given. */
  readonly policy?: VocabularyPolicy | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What was found about models, and where nothing stands against a merge, the tokens that it has. */
export interface ComparedParents {
  readonly findings: readonly ParentFinding[];
  readonly vocabulary?: Vocabulary;
}

/**
 * Everything that keeps a base and its experts from being scored and merged, found without reading a weight but those that a
 * file holds twice: what is to be asked of the Hub in addition, the headers of weights, is asked for only where nothing else stands against a merge.
 */
export async function compareParents(
  parents: readonly ParentFiles[],
  { policy = "base", signal }: CompareParentsOptions = {},
): Promise<ComparedParents> {
  const { described, adapters, findings } = await describeAll(parents, signal);
  const report = ({ name }: ParentFiles, about: ParentFinding["about"], text: string | undefined): void => {
    if (text !== undefined) findings.push({ name, about, verdict: "fault", text });
  };
  const base = described.find(({ parent }) => parent.folder === parents[0]?.folder);
  for (const adapter of adapters) findings.push(...(await adapterFindings(adapter, base, signal)));
  if (!base) return { findings };
  const experts = described.filter((one) => one !== base);
  const others = new Map(experts.map((expert) => [expert, familyDifference(expert, base)]));
  // Whatever else a model of another family has of its own follows from that.
  const family = [base, ...experts.filter((expert) => others.get(expert) === undefined)] as const;
  const ofTokens = await compareVocabularies(family, { policy, adapters, signal });
  for (const one of [base, ...experts]) {
    report(one.parent, "architecture", others.get(one));
    findings.push(...(ofTokens.findings.get(one.parent.folder) ?? []));
    if (others.get(one) === undefined) report(one.parent, "architecture", architectureDifference(one, base));
  }
  if (firstFault(findings) !== undefined) return { findings };
  const models = new Map<DescribedParent, Model>();
  for (const one of described) models.set(one, await modelOf(one, signal));
  for (const [one, model] of models) report(one.parent, "weights", await whyOtherWeights(one.parent, model, signal));
  for (const adapter of adapters)
    report(
      adapter,
      "weights",
      await whyNoAdapterOf(adapter, { ...base, model: models.get(base) ?? base.model }, signal),
    );
  findings.push(...headFindings(models));
  return { findings, ...(ofTokens.vocabulary && { vocabulary: ofTokens.vocabulary }) };
}

interface Described {
  readonly described: readonly DescribedParent[];
  readonly adapters: readonly ParentFiles[];
  readonly findings: ParentFinding[];
}

/** Every model once, as far as each can be described by itself. */
async function describeAll(parents: readonly ParentFiles[], signal: AbortSignal | undefined): Promise<Described> {
  const findings: ParentFinding[] = [];
  const report = ({ name }: ParentFiles, text: string | undefined): void => {
    if (text !== undefined) findings.push({ name, about: "model", verdict: "fault", text });
  };
  const described: DescribedParent[] = [];
  const adapters: ParentFiles[] = [];
  for (const parent of new Map(parents.map((parent) => [parent.folder, parent])).values()) {
    if (parent.isAdapter) {
      adapters.push(parent);
      if (parent === parents[0] && parents.length > 1) report(parent, refuseAdapter(parent.name));
      continue;
    }
    const reason = await whyUnscorable(parent.name, parent.folder);
    report(parent, reason);
    const found = reason === undefined ? await describe(parent, signal) : undefined;
    if (typeof found === "string") report(parent, found);
    else if (found) {
      described.push(found);
      findings.push(...(await adapterBeside(parent)));
    }
  }
  return { described, adapters, findings };
}

function hasHead(model: Model): boolean {
  return allWeights(model).some(({ name }) => name === HEAD);
}

/** Models that tie what another has two of; a merge of them has two. */
function headFindings(models: ReadonlyMap<DescribedParent, Model>): ParentFinding[] {
  const [untied] = [...models].find(([, model]) => hasHead(model)) ?? [];
  if (!untied) return [];
  return [...models].flatMap(
    ([
      {
        parent: { name },
      },
      model,
    ]): ParentFinding[] => {
      if (hasHead(model)) return [];
      const text = `${name}: its head is its embedding, and ${untied.parent.name} has both; so has a merge, with that embedding for this one's head`;
      return [{ name, about: "architecture", verdict: "notice", text }];
    },
  );
}

/** The first field of two identities that differs. */
export function differingField(
  found: Model["identity"],
  expected: Model["identity"],
  except: ReadonlySet<string> = new Set(),
): string | undefined {
  return Object.keys({ ...expected, ...found }).find(
    (field) => !except.has(field) && JSON.stringify(found[field]) !== JSON.stringify(expected[field]),
  );
}

/** What a vocabulary evens out: models with other rows, or a head beside the embedding, are given the merge's. */
export const EVENED: ReadonlySet<string> = new Set(["vocab_size", "tie_word_embeddings", "head of its own"]);

/** Models of two families merge where nothing but the name tells them apart, as a Mistral without a window from a Llama. */
function familyDifference(
  { parent: { name }, model, config }: DescribedParent,
  base: DescribedParent,
): string | undefined {
  const [found, expected] = [config, base.config].map((own) => JSON.stringify(own["model_type"]));
  if (found === expected) return undefined;
  const field = differingField(model.identity, base.model.identity, EVENED);
  if (field === undefined) return undefined;
  return `${name}: model_type: expected ${expected} as in the base ${base.parent.name}, found ${found}, which differs in ${field}; only models of one architecture merge`;
}

function architectureDifference(
  { parent: { name }, model }: DescribedParent,
  base: DescribedParent,
): string | undefined {
  const field = differingField(model.identity, base.model.identity, EVENED);
  if (field === undefined) return undefined;
  const [found, expected] = [model, base.model].map(({ identity }) => JSON.stringify(identity[field]));
  return `${name}: ${field}: expected ${expected} as in the base ${base.parent.name}, found ${found}; only models of one architecture merge`;
}

async function describe(parent: ParentFiles, signal: AbortSignal | undefined): Promise<DescribedParent | string> {
  const { folder, name } = parent;
  const config = await readJsonObject(join(folder, "config.json"));
  const model = openModel({ folder, config }, "f32");
  const read = parent.tokenizer ?? (() => Tokenizer.describe(folder, signal));
  const tokenizer = await orReason(read);
  if (typeof tokenizer !== "string") return { parent, model, tokenizer, config };
  return name === folder ? tokenizer : `${name}: ${tokenizer}`;
}

/** What a model is, as its tensors have it where config.json leaves that open. */
async function modelOf({ parent, model, config }: DescribedParent, signal: AbortSignal | undefined): Promise<Model> {
  const headers = await orReason(() => parent.headers(signal));
  if (typeof headers !== "object") return model;
  return openModel({ folder: parent.folder, config, tensors: headers.tensors }, "f32");
}

async function whyOtherWeights(
  { name, folder, isHere, headers: ask }: ParentFiles,
  model: Model,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const found = await orReason(async () => {
    const headers = await ask(signal);
    if (!headers) return;
    checkWeights(model, { folder: name, config: {}, ...headers });
    if (!isHere || !model.aliases.some((alias) => headers.tensors.has(alias.name))) return;
    await using checkpoint = await openCheckpoint(folder);
    await checkAliases(model, checkpoint, { name, signal });
  });
  return found ?? undefined;
}
