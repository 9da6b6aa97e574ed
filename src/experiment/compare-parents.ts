/** Whether models merge: what everything but their weights tells. Nobody else compares them. */
import { join } from "node:path";
import { openCheckpoint } from "./open-checkpoint.ts";
import { refuseAdapter } from "../checkpoint/weight-files.ts";
import { readJsonObject } from "../files/json-object.ts";
import type { Model } from "../model/architecture.ts";
import { checkWeights, openModel } from "../model/open-model.ts";
import { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { checkAliases } from "./check-aliases.ts";
import { adapterBeside, adapterFindings, whyNoAdapterOf } from "./compare-adapters.ts";
import type { ParentFiles } from "./parent-files.ts";
import { type DescribedParent, firstFault, orReason, type ParentFinding } from "./parent-finding.ts";
import { whyUnscorable } from "./scorable.ts";
import { doubts, tokenizerFindings, tooManyTokens } from "./tokenizer-findings.ts";

/**
 * Everything that keeps a base and its experts from being scored and merged, found without reading a weight but those that a
 * file holds twice: what is to be asked of the Hub in addition, the headers of weights, is asked for only where nothing else stands against a merge.
 */
export async function compareParents(
  parents: readonly ParentFiles[],
  signal?: AbortSignal,
): Promise<readonly ParentFinding[]> {
  const findings: ParentFinding[] = [];
  const report = ({ name }: ParentFiles, about: ParentFinding["about"], text: string | undefined): void => {
    if (text !== undefined) findings.push({ name, about, verdict: "fault", text });
  };
  const described: DescribedParent[] = [];
  const adapters: ParentFiles[] = [];
  for (const parent of new Map(parents.map((parent) => [parent.folder, parent])).values()) {
    if (parent.isAdapter) {
      adapters.push(parent);
      if (parent === parents[0] && parents.length > 1) report(parent, "model", refuseAdapter(parent.name));
      continue;
    }
    const reason = await whyUnscorable(parent.name, parent.folder);
    report(parent, "model", reason);
    const found = reason === undefined ? await describe(parent, signal) : undefined;
    if (typeof found === "string") report(parent, "model", found);
    else if (found) {
      described.push(found);
      findings.push(...(await adapterBeside(parent)));
    }
  }
  const base = described.find(({ parent }) => parent.folder === parents[0]?.folder);
  for (const adapter of adapters) findings.push(...(await adapterFindings(adapter, base, signal)));
  if (!base) return findings;
  report(base.parent, "tokenizer", tooManyTokens(base));
  findings.push(...doubts(base));
  for (const expert of described) {
    if (expert === base) continue;
    const otherFamily = familyDifference(expert, base);
    report(expert.parent, "architecture", otherFamily);
    // Whatever else such a model has of its own follows from that.
    if (otherFamily !== undefined) continue;
    if (expert.tokenizer.digest !== base.tokenizer.digest)
      findings.push(...(await tokenizerFindings(expert.parent, base, signal)));
    report(expert.parent, "architecture", architectureDifference(expert, base));
  }
  if (firstFault(findings) !== undefined) return findings;
  const model = await modelOf(base, signal);
  for (const { parent } of described) report(parent, "weights", await whyOtherWeights(parent, model, signal));
  for (const adapter of adapters) report(adapter, "weights", await whyNoAdapterOf(adapter, { ...base, model }, signal));
  return findings;
}

/** The first field of two identities that differs. */
export function differingField(found: Model["identity"], expected: Model["identity"]): string | undefined {
  return Object.keys({ ...expected, ...found }).find(
    (field) => JSON.stringify(found[field]) !== JSON.stringify(expected[field]),
  );
}

/** Models of two families merge where nothing but the name tells them apart, as a Mistral without a window from a Llama. */
function familyDifference(
  { parent: { name }, model, config }: DescribedParent,
  base: DescribedParent,
): string | undefined {
  const [found, expected] = [config, base.config].map((own) => JSON.stringify(own["model_type"]));
  if (found === expected) return undefined;
  const field = differingField(model.identity, base.model.identity);
  if (field === undefined) return undefined;
  return `${name}: model_type: expected ${expected} as in the base ${base.parent.name}, found ${found}, which differs in ${field}; only models of one architecture merge`;
}

function architectureDifference(
  { parent: { name }, model }: DescribedParent,
  base: DescribedParent,
): string | undefined {
  const field = differingField(model.identity, base.model.identity);
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

/** What the base is, as its tensors have it where config.json leaves that open. */
async function modelOf({ parent, model, config }: DescribedParent, signal: AbortSignal | undefined): Promise<Model> {
  const headers = await orReason(() => parent.headers(signal));
  if (typeof headers !== "object") return model;
  return openModel({ folder: parent.folder, config, tensors: headers.tensors }, "f32");
}

async function whyOtherWeights(
  parent: ParentFiles,
  model: Model,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { name, folder } = parent;
  const found = await orReason(async () => {
    const headers = await parent.headers(signal);
    if (!headers) return;
    checkWeights(model, { folder: name, config: {}, ...headers });
    if (!parent.isHere || !model.aliases.some((alias) => headers.tensors.has(alias.name))) return;
    await using checkpoint = await openCheckpoint(folder);
    await checkAliases(model, checkpoint, { name, signal });
  });
  return found ?? undefined;
}
