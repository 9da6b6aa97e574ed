import { findMmlu, isMmluName } from "../tasks/mmlu-guard.ts";
import { quoteRow, rowsDigest } from "../tasks/rows.ts";
import type { Facts, SourceFacts } from "./facts.ts";
import { type RuleJudgement, plain, type Rule, type SubjectJudgement } from "./rule.ts";

/** Only open data may be used, and what is used must be named. */
export const openData: Rule = { id: "data", title: "Fitness rows are open data", check: ofEachSource(judgeOpenness) };

/** MMLU measures the result, so it must not steer the search. */
export const noMmlu: Rule = { id: "mmlu", title: "MMLU is not used as fitness", check: ofEachSource(judgeMmlu) };

function ofEachSource(judge: (source: SourceFacts) => RuleJudgement): (facts: Facts) => readonly SubjectJudgement[] {
  return ({ sources }) => sources.map((source) => ({ subject: `${source.task} ${source.side}`, ...judge(source) }));
}

function judgeOpenness({ name, repository, rows, sha256, problem }: SourceFacts): RuleJudgement {
  if (problem) return { verdict: problem.verdict, evidence: problem.text };
  const held = rows ? `, ${rows.length} rows with digest ${rowsDigest(rows).slice(0, 16)}` : "";
  if (!repository)
    return { verdict: "warn", evidence: `${name}${held}, sha256 ${sha256}: a local file, declare its source` };
  const at = `${name} at ${repository.commit.slice(0, 8)}${held}`;
  if (repository.source === "cache") return { verdict: "unknown", evidence: `offline: only the Hub knows; ${at}` };
  if (repository.private || repository.disabled) return { verdict: "fail", evidence: `not public: ${at}` };
  if (repository.gated !== false) return { verdict: "warn", evidence: `gated: ${at}` };
  const licence = repository.licence === undefined ? "no licence stated" : `licence ${plain(repository.licence)}`;
  return { verdict: "pass", evidence: `${at}, ${licence}` };
}

function judgeMmlu({ name, names, rows }: SourceFacts): RuleJudgement {
  const named = names.find(isMmluName);
  if (named !== undefined) return { verdict: "fail", evidence: `${plain(named)} is MMLU by its name; use other rows` };
  if (!rows) return { verdict: "unknown", evidence: `${name}: the rows could not be read` };
  const found = findMmlu(rows);
  if (found === undefined) return { verdict: "pass", evidence: `${rows.length} rows, none like MMLU's` };
  return { verdict: "fail", evidence: `${name}: ${quoteRow(found)} is MMLU by its wording; use other rows` };
}
