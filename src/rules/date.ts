import { formatReference, isPinned } from "../hub/api/reference.ts";
import type { HubRepository, RepositoryFile } from "../hub/cache/repository.ts";
import type { ModelFacts } from "./facts.ts";
import { type RuleJudgement, ofEachOnHub, plain, type Rule } from "./rule.ts";

const DEADLINE = "2024-05-31";
const DEADLINE_MS = Date.parse(`${DEADLINE}T00:00:00Z`);

/** Weights must have been uploaded before the deadline; a later edit of other files, such as the card, is harmless. */
export const uploadedInTime: Rule = {
  id: "date",
  title: `Weights were uploaded before ${DEADLINE}`,
  check: ofEachOnHub(judge),
};

interface DatedFile {
  readonly path: string;
  readonly commit: NonNullable<RepositoryFile["lastCommit"]>;
}

function judge(repository: HubRepository, { reference, weights = [] }: ModelFacts): RuleJudgement {
  const dated = weights.flatMap(({ path, lastCommit: commit }): DatedFile[] => (commit ? [{ path, commit }] : []));
  const [first] = dated;
  if (!first) return { verdict: "unknown", evidence: "the Hub names no commit of its weights" };
  if (dated.length < weights.length) return { verdict: "unknown", evidence: "the Hub names no commit of some weights" };
  const newest = dated.reduce((a, b) => (timeOf(a) < timeOf(b) ? b : a), first);
  const evidence = describe(newest, dated.length);
  if (!(timeOf(newest) < DEADLINE_MS)) {
    return { verdict: "fail", evidence: `${evidence}, "${plain(newest.commit.title)}"; pin an earlier revision` };
  }
  // An old history can be pushed at any time, but not to a repository that was not there.
  const { createdAt } = repository;
  if (createdAt !== undefined && Date.parse(createdAt) >= DEADLINE_MS) {
    return { verdict: "fail", evidence: `${evidence}, but the repository was created ${createdAt}; use another model` };
  }
  if (reference && isPinned(reference)) return { verdict: "pass", evidence };
  const pinned = formatReference({ name: repository.name, revision: repository.commit });
  return { verdict: "warn", evidence: `${evidence}; not pinned: write ${pinned}` };
}

/** The dates of git are the author's word, which the evidence says. */
function describe({ path, commit: { id, date } }: DatedFile, files: number): string {
  const others = files === 1 ? "" : `, the newest of ${files} files`;
  return `${plain(path)}${others}: ${date} by the date of commit ${id.slice(0, 8)}`;
}

function timeOf({ commit }: DatedFile): number {
  return Date.parse(commit.date);
}
