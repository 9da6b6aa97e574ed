import { UserError } from "../../errors.ts";
import { loadExperiment } from "../../experiment/experiment-file.ts";
import { printableLine } from "../../files/printable.ts";
import { columnsOf, padded } from "../../report/text/columns.ts";
import { wrapped } from "../../report/text/wrapped.ts";
import { openHub } from "../../hub/api/hub.ts";
import { checkExperiment, type RuleReport } from "../../rules/check-experiment.ts";
import { interruptionSignal } from "../interruption.ts";
import { print, printJson, resultWidth } from "../output.ts";
import { Progress } from "../progress.ts";

/** Of a subject, before what is said of it: others have longer ones. */
const MOST_SUBJECT = 24;
/** Before the other lines of what is said. */
const EVIDENCE = 11;

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
  else print(reportText(report, resultWidth()));
  const reason = whyNotFine(report);
  if (reason !== undefined) throw new UserError(`${file} ${reason}`);
}

/** Rules that are broken and models that do not merge, else questions that nobody could answer. */
function whyNotFine({ findings, cannotScore, unasked }: RuleReport): string | undefined {
  const broken = new Set(findings.filter(({ verdict }) => verdict === "fail").map(({ rule }) => rule));
  const [fault] = cannotScore;
  const reasons = [
    ...(broken.size > 0 ? [`breaks these rules: ${[...broken].join(", ")}`] : []),
    ...(fault === undefined ? [] : [`cannot be run: ${fault}`]),
  ];
  if (reasons.length > 0) return reasons.join("; it ");
  const [first] = unasked;
  if (first === undefined) return undefined;
  const names = [...new Set(unasked.map(({ name }) => withoutTail(name)))];
  return `was not checked in full, since the Hub could not be asked about ${names.join(", ")}: ${first.why}`;
}

/** The findings rule by rule, what else stands against a merge, and the day of the check, in lines of so many columns. */
export function reportText(
  { experiment, date, findings, cannotScore, unasked, notices }: RuleReport,
  width = Infinity,
): string {
  const subjects = new Map(findings.map(({ subject }) => [subject, printableLine(withoutTail(subject))]));
  const longest = Math.min(MOST_SUBJECT, Math.max(0, ...Array.from(subjects.values(), columnsOf)));
  const lines = findings.flatMap(({ rule, title, subject, verdict, evidence }, i) => [
    ...(rule === findings[i - 1]?.rule ? [] : wrapped(printableLine(`${title} (${rule})`), width, { indent: 2 })),
    ...wrapped(printableLine(evidence), width, {
      label: `  ${verdict.padEnd(7)}  ${padded(subjects.get(subject) ?? "", longest)}  `,
      indent: EVIDENCE,
    }),
  ]);
  const verdicts = (["fail", "warn", "unknown", "pass"] as const).map(
    (verdict) => `${findings.filter((finding) => finding.verdict === verdict).length} ${verdict}`,
  );
  // All that the command fails for, so that the line does not end well where the command does not.
  const [faults, open] = [cannotScore.length, unasked.length];
  const besides = [
    ...(faults > 0 ? [`${faults} fault${faults === 1 ? " keeps" : "s keep"} it from being run`] : []),
    ...(open > 0 ? [`the Hub could not be asked about ${open}`] : []),
  ];
  const counts = [verdicts.join(", "), ...besides].join("; ");
  const notes = notices.map((text) => `note: ${text}`);
  const rest = [...cannotScore, ...notes, `${experiment}, checked on ${date.slice(0, 10)}: ${counts}`];
  const restLines = rest.flatMap((line) => wrapped(printableLine(line), width, { indent: 2 }));
  return [...lines, "", ...restLines].join("\n");
}

/** A model with as much of its commit as tells commits apart. */
function withoutTail(subject: string): string {
  return subject.replace(/(?<=@[0-9a-f]{12})[0-9a-f]{28}$/, "");
}
