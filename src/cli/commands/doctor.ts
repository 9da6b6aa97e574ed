import { diagnose } from "../../doctor/diagnose.ts";
import { wrapped } from "../../report/text/wrapped.ts";
import type { Finding } from "../../doctor/finding.ts";
import { speedFindings } from "../../doctor/speed-findings.ts";
import { printableLine } from "../../files/printable.ts";
import { print, printJson, resultWidth } from "../output.ts";

/** `evomerge doctor`: says what this machine can do, and how fast; the disk is that of `folder`. */
export async function doctorCommand(
  folder: string,
  options: { readonly json?: boolean | undefined } = {},
): Promise<void> {
  const findings = [...(await diagnose()), ...(await speedFindings(folder))];
  if (options.json) printJson(findings);
  else print(findingsText(findings, resultWidth()));
}

/** A line for each finding, or several where its detail is long. */
function findingsText(findings: readonly Finding[], width: number): string {
  const longest = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap(({ name, works, detail }) =>
    wrapped(printableLine(detail), width, { label: `${works ? "yes" : "no "}  ${name.padEnd(longest)}  ` }),
  );
  return lines.join("\n");
}
