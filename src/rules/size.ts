import type { Facts, ModelFacts } from "./facts.ts";
import { billions, type RuleJudgement, ofEachModel, type Rule } from "./rule.ts";
import { parametersOf } from "./parameters.ts";

/** "Up to 8 GB" in one text of the rules contradicts their list of models; parameters are what the list counts. */
const LIMIT = 8e9;

/** Families on the organisers' list that count as 8B or 7B, and room for some added tokens. */
const nominal: readonly { readonly modelType: string; readonly name: string; readonly limit: number }[] = [
  { modelType: "llama", name: "Llama 3 8B", limit: 8.1e9 },
  { modelType: "gemma", name: "Gemma 7B", limit: 8.6e9 },
];

/** Models may have up to 8 billion parameters, by their nominal size. */
export const size: Rule = { id: "size", title: "Models have up to 8 billion parameters", check: ofEachModel(judge) };

function judge(model: ModelFacts, facts: Facts): RuleJudgement {
  const found = parametersOf(model, facts);
  if (!found)
    return { verdict: "unknown", evidence: "neither the Hub nor config.json says how many parameters it has" };
  const { parameters, source } = found;
  const counted = `${parameters.toLocaleString("en")} parameters by ${source}`;
  if (parameters <= LIMIT) return { verdict: "pass", evidence: counted };
  const shaped = model.adapter ? facts.models[0] : model;
  const family = nominal.find(({ modelType, limit }) => isOf(shaped, modelType) && parameters <= limit);
  if (family) return { verdict: "pass", evidence: `${counted}: nominally ${family.name}, which the organisers list` };
  return { verdict: "fail", evidence: `${counted}, ${billions(parameters - LIMIT)} more than allowed` };
}

/** By config.json; by the Hub's tags where it could not be read. */
function isOf(model: ModelFacts | undefined, modelType: string): boolean {
  if (model?.config) return model.config["model_type"] === modelType;
  const repository = model?.repository;
  return repository?.source === "hub" && repository.tags.includes(modelType);
}
