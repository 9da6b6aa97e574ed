import { diagnose } from "../../doctor/diagnose.ts";
import { speedFindings } from "../../doctor/speed-findings.ts";
import { printableLine } from "../../files/printable.ts";
import { print, printJson } from "../output.ts";

/** `evomerge doctor`: says what this machine can do, and how fast; the disk is that of `folder`. */
export async function doctorCommand(
  folder: string,
  options: { readonly json?: boolean | undefined } = {},
): Promise<void> {
  const findings = [...(await diagnose()), ...(await speedFindings(folder))];
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(({ name, works, detail }) => `${works ? "yes" : "no "}  ${name.padEnd(width)}  ${detail}`);
  if (options.json) printJson(findings);
  else print(lines.map(printableLine).join("\n"));
}
