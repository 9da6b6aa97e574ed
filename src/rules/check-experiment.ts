import type { ParentFinding } from "../experiment/parent-finding.ts";
import type { Experiment } from "../experiment/experiment.ts";
import type { Hub } from "../hub/api/hub.ts";
import type { Facts, GatherOptions, SourceFacts } from "./facts.ts";
import { gatherFacts } from "./gather.ts";
import type { SubjectJudgement } from "./rule.ts";
import { rules } from "./rules.ts";

/** A judgement by one rule. */
export interface RuleFinding extends SubjectJudgement {
  /** The rule's id. */
  readonly rule: string;
  /** The rule in words. */
  readonly title: string;
}

/** What a check found on a day; the Hub may say something else on another. */
export interface RuleReport {
  readonly experiment: string;
  /** ISO 8601 */
  readonly date: string;
  /** In the order of the rules. */
  readonly findings: readonly RuleFinding[];
  /** Why evomerge itself cannot score some of the models, one sentence each; rules say why models do not merge. */
  readonly cannotScore: readonly string[];
  /** Models and rows about which the Hub could not be asked, and why not. */
  readonly unasked: readonly { readonly name: string; readonly why: string }[];
  /** What a person should know of the models besides. */
  readonly notices: readonly string[];
}

const ofRules: ReadonlySet<ParentFinding["about"]> = new Set(["architecture", "tokenizer"]);

/**
 * Checks an experiment against the rules of the competition. Fetches small files and rows, no weights. A model or a
 * dataset that cannot be had becomes a finding, so that the other rules are checked nevertheless.
 */
export async function checkExperiment(
  experiment: Experiment,
  hub: Hub,
  options: GatherOptions = {},
): Promise<RuleReport> {
  const facts = await gatherFacts(experiment, hub, options);
  // Those about architecture and tokenizer are findings of rules.
  const faults = facts.findings.filter(({ verdict, about }) => verdict === "fault" && !ofRules.has(about));
  return {
    experiment: experiment.name,
    date: new Date().toISOString(),
    findings: rules.flatMap(({ id, title, check }) => check(facts).map((found) => ({ rule: id, title, ...found }))),
    unasked: unaskedOf(facts),
    cannotScore: faults.map(({ text }) => text),
    notices: facts.findings.filter(({ verdict }) => verdict === "notice").map(({ text }) => text),
  };
}

function unaskedOf({ models, sources, offline }: Facts): RuleReport["unasked"] {
  const onHub = [...models.filter(({ reference }) => reference), ...sources.filter(isOnHub)];
  const whyOffline = offline ? "HF_HUB_OFFLINE is set" : undefined;
  return onHub.flatMap(({ name, problem }) => {
    const why = problem?.verdict === "unknown" ? problem.text : whyOffline;
    return why === undefined ? [] : [{ name, why }];
  });
}

function isOnHub({ repository, problem }: SourceFacts): boolean {
  return repository !== undefined || problem?.verdict === "unknown";
}
