import { diagnose } from "../../doctor/diagnose.ts";
import { results } from "../output.ts";

/** `evomerge doctor`: says what this machine can do. */
export async function doctorCommand(options: { readonly json?: boolean | undefined }): Promise<void> {
  const findings = await diagnose();
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(({ name, works, detail }) => `${works ? "yes" : "no "}  ${name.padEnd(width)}  ${detail}`);
  results.write(`${options.json ? JSON.stringify(findings) : lines.join("\n")}\n`);
}
