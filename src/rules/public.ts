import type { HubRepository } from "../hub/cache/repository.ts";
import type { Facts, ModelFacts } from "./facts.ts";
import { type RuleJudgement, ofEachModel, type Rule, unopened } from "./rule.ts";

/** Models must be on the Hub for everyone. */
export const publicModels: Rule = {
  id: "public",
  title: "Models are public on the Hugging Face Hub",
  check: ofEachModel(judge),
};

function judge({ reference, repository, problem }: ModelFacts, { endpoint, offline }: Facts): RuleJudgement {
  if (!reference) {
    if (problem) return unopened(problem);
    return { verdict: "warn", evidence: "a folder, not on the Hub yet; push it there before you submit" };
  }
  if (offline) return { verdict: "unknown", evidence: "offline: only the Hub knows" };
  if (repository?.source !== "hub") return unopened(problem);
  const link = `${endpoint}/${repository.name}`;
  const renamed = repository.name === reference.name ? "" : `; called ${repository.name} now`;
  return judgeAccess(repository, link, renamed);
}

function judgeAccess(
  { private: isPrivate, disabled, gated }: HubRepository,
  link: string,
  renamed: string,
): RuleJudgement {
  if (isPrivate) return { verdict: "fail", evidence: `private: make it public at ${link}/settings` };
  if (disabled) return { verdict: "fail", evidence: `disabled by the Hub: ${link}` };
  if (gated === false) return { verdict: "pass", evidence: `${link}${renamed}` };
  const approval = gated === "manual" ? "its owner approves each request" : "accepted at once";
  return { verdict: "warn", evidence: `gated: accept the licence at ${link} (${approval})${renamed}` };
}
