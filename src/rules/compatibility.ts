import { differingField } from "../experiment/compare-parents.ts";
import type { JsonObject } from "../files/json-object.ts";
import { parseReference } from "../hub/api/reference.ts";
import type { Facts, ModelFacts } from "./facts.ts";
import { type RuleJudgement, plain, type Rule, type SubjectJudgement } from "./rule.ts";

/** Models merge only tensor by tensor, so their shapes must be those of the base. */
export const oneArchitecture: Rule = {
  id: "architecture",
  title: "Models have one architecture",
  check: ofEachExpert(judgeArchitecture),
};

/** A merged embedding makes sense only where an id stands for the same token everywhere. */
export const oneTokenizer: Rule = {
  id: "tokenizer",
  title: "Models have one tokenizer",
  check: ofEachExpert(judgeTokenizer),
};

/** What decides shapes in config.json, of decoder-only and of encoder-decoder families. */
const shapeFields = (
  "model_type vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads num_key_value_heads " +
  "head_dim d_model d_ff d_kv num_layers num_decoder_layers num_heads feed_forward_proj tie_word_embeddings"
).split(" ");

function ofEachExpert(judge: (expert: ModelFacts, base: ModelFacts, facts: Facts) => RuleJudgement): Rule["check"] {
  return (facts): readonly SubjectJudgement[] => {
    const [base, ...experts] = facts.models;
    return base ? experts.map((expert) => ({ subject: expert.name, ...judge(expert, base, facts) })) : [];
  };
}

function judgeArchitecture(expert: ModelFacts, base: ModelFacts): RuleJudgement {
  if (expert.adapter) return judgeAdapter(expert.adapter, base);
  const expected = identityOf(base);
  const found = identityOf(expert);
  if (!expected || !found) return { verdict: "unknown", evidence: unread(expected ? expert : base) };
  // The identities of two known families may have different fields.
  const fields = Object.keys({ ...expected, ...found });
  const differing = differingField(found, expected);
  if (differing === undefined) {
    return { verdict: "pass", evidence: `as the base: ${show(found["model_type"])}, ${fields.length} fields equal` };
  }
  const values = `${show(found[differing])}, in the base ${show(expected[differing])}`;
  return { verdict: "fail", evidence: `${differing}: ${values}` };
}

/** What an adapter says of the model that it changes. */
function judgeAdapter(adapter: JsonObject, base: ModelFacts): RuleJudgement {
  const stated = adapter["base_model_name_or_path"];
  const name = nameOf(base);
  const evidence = `an adapter of ${show(stated)}, the base is ${name}`;
  const same = typeof stated === "string" && (parseReference(stated)?.name ?? stated) === name;
  return { verdict: same ? "pass" : "warn", evidence };
}

/** The fields that must be equal; exact where evomerge knows the family. */
function identityOf({ config, model }: ModelFacts): Readonly<Record<string, unknown>> | undefined {
  if (!config) return undefined;
  if (model) return { model_type: config["model_type"], ...model.identity };
  return Object.fromEntries(shapeFields.filter((field) => field in config).map((field) => [field, config[field]]));
}

function judgeTokenizer(expert: ModelFacts, base: ModelFacts, { findings }: Facts): RuleJudgement {
  const named = findings.find(({ name, about }) => name === nameOf(expert) && about === "tokenizer");
  if (expert.adapter) {
    const evidence = named?.text ?? "an adapter is used with the tokenizer of the base";
    return { verdict: named?.verdict === "fault" ? "fail" : "pass", evidence };
  }
  const found = expert.tokenizer;
  const expected = base.tokenizer;
  if (!found || !expected) return { verdict: "unknown", evidence: unread(expected ? expert : base) };
  if ("problem" in found) return { verdict: "unknown", evidence: found.problem };
  if ("problem" in expected) return { verdict: "unknown", evidence: expected.problem };
  const digests = `digest ${found.digest.slice(0, 16)} of ${found.vocabularySize} tokens`;
  if (found.digest === expected.digest) return { verdict: "pass", evidence: `as the base: ${digests}` };
  if (named?.verdict === "notice") return { verdict: "pass", evidence: named.text };
  const others = `${digests}, in the base ${expected.digest.slice(0, 16)} of ${expected.vocabularySize}`;
  return { verdict: "fail", evidence: named?.text ?? `${others}; only models of one vocabulary merge` };
}

/** As findings name it. */
function nameOf({ name, repository }: ModelFacts): string {
  return repository?.name ?? name;
}

function unread({ name, problem }: ModelFacts): string {
  return problem?.text ?? `${name} has no config.json`;
}

function show(value: unknown): string {
  return plain(typeof value === "string" ? value : (JSON.stringify(value) ?? "not given"));
}
