import { UserError } from "../../errors.ts";
import { loadExperiment } from "../../experiment/experiment-file.ts";
import { printableLine } from "../../files/printable.ts";
import { openHub } from "../../hub/api/hub.ts";
import { checkExperiment, type RuleReport } from "../../rules/check-experiment.ts";
import { interruptionSignal } from "../interruption.ts";
import { print, printJson } from "../output.ts";
import { Progress } from "../progress.ts";

/** `evomerge check`: every rule of the competition with its verdicts; a UserError where not all is well. */
export async function checkCommand(
  file: string,
  { json }: { readonly json?: boolean | undefined } = {},
): Promise<void> {
  const experiment = await loadExperiment(file);
  const progress = new Progress();
  const report = await checkExperiment(experiment, await openHub(), {
    signal: interruptionSignal(),
    onProgress: (name) => progress.show({ type: "notice", text: `looking at ${name}` }),
  }).finally(progress.end);
  if (json) printJson(report);
  else print(reportText(report));
  const reason = whyNotFine(report);
  if (reason !== undefined) throw new UserError(`${file} ${reason}`);
}

/** A rule that is broken, models that do not merge, or questions that nobody could answer: in this order. */
function whyNotFine({ findings, cannotScore, unasked }: RuleReport): string | undefined {
  const broken = new Set(findings.filter(({ verdict }) => verdict === "fail").map(({ rule }) => rule));
  if (broken.size > 0) return `breaks these rules: ${[...broken].join(", ")}`;
  const [fault] = cannotScore;
  if (fault !== undefined) return `cannot be run: ${fault}`;
  const [first] = unasked;
  if (first === undefined) return undefined;
  const names = [...new Set(unasked.map(({ name }) => shortened(name)))];
  return `was not checked in full, since the Hub could not be asked about ${names.join(", ")}: ${first.why}`;
}

/** The findings rule by rule, what else stands against a merge, and the day of the check. */
export function reportText({ experiment, date, findings, cannotScore, notices }: RuleReport): string {
  const width = Math.max(0, ...findings.map(({ subject }) => shortened(subject).length));
  const lines = findings.flatMap(({ rule, title, subject, verdict, evidence }, i) => [
    ...(rule === findings[i - 1]?.rule ? [] : [`${title} (${rule})`]),
    `  ${verdict.padEnd(7)}  ${shortened(subject).padEnd(width)}  ${evidence}`,
  ]);
  const counts = (["fail", "warn", "unknown", "pass"] as const)
    .map((verdict) => `${findings.filter((finding) => finding.verdict === verdict).length} ${verdict}`)
    .join(", ");
  const notes = notices.map((text) => `note: ${text}`);
  const all = [...lines, "", ...cannotScore, ...notes, `${experiment}, checked on ${date.slice(0, 10)}: ${counts}`];
  return all.map(printableLine).join("\n");
}

/** A model with as much of its commit as tells commits apart. */
function shortened(subject: string): string {
  return subject.replace(/(?<=@[0-9a-f]{12})[0-9a-f]{28}$/, "");
}
