import { showUntrusted } from "../files/show-untrusted.ts";
import type { HubRepository } from "../hub/cache/repository.ts";
import type { Facts, ModelFacts, Problem } from "./facts.ts";

/** What a check found: "warn" asks a person to look, "unknown" could not be checked here. */
export type Verdict = "pass" | "warn" | "fail" | "unknown";

/** A verdict and, on one line, what it rests on: numbers, commit, dates, link. */
export interface RuleJudgement {
  readonly verdict: Verdict;
  readonly evidence: string;
}

/** A judgement of one model, dataset or file, or of the merge as a whole. */
export interface SubjectJudgement extends RuleJudgement {
  readonly subject: string;
}

/** One rule of the competition that a machine can check. */
export interface Rule {
  /** Short id. */
  readonly id: string;
  readonly title: string;
  readonly check: (facts: Facts) => readonly SubjectJudgement[];
}

/** The subject of what is judged of the merged model. */
export const MERGE = "the merge";

/** Judges every model by itself. */
export function ofEachModel(judge: (model: ModelFacts, facts: Facts) => RuleJudgement): Rule["check"] {
  return (facts) => facts.models.map((model) => ({ subject: model.name, ...judge(model, facts) }));
}

/** Judges every model by what the Hub says of it; where it says nothing, the verdict is "unknown". */
export function ofEachOnHub(judge: (repository: HubRepository, model: ModelFacts) => RuleJudgement): Rule["check"] {
  return ofEachModel((model, { offline }) => {
    const { reference, repository, problem } = model;
    if (repository?.source === "hub") return judge(repository, model);
    if (!reference) return { verdict: "unknown", evidence: "a folder, of which the Hub says nothing" };
    if (offline) return { verdict: "unknown", evidence: "offline: only the Hub knows" };
    return { ...unopened(problem), verdict: "unknown" };
  });
}

/** What a model that could not be opened is judged by. */
export function unopened(problem: Problem | undefined): RuleJudgement {
  return { verdict: problem?.verdict ?? "unknown", evidence: problem?.text ?? "the Hub says nothing of it" };
}

/** Text from strangers on one line, control characters escaped. */
export function plain(text: string): string {
  return showUntrusted(text).replace(/^(['"`])(.*)\1$/s, "$2");
}

/** `8.03e9` as people say it: 8.03 billion. */
export function billions(count: number): string {
  return `${(count / 1e9).toFixed(2)} billion`;
}

/** Bytes in powers of ten. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
