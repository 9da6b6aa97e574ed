import { exportRun, type ExportResult } from "../../export/export-run.ts";
import { interruptionSignal } from "../interruption.ts";
import { Progress } from "../progress.ts";

/** `evomerge export`: writes the winner of a run, or its best so far, as a Hugging Face folder. */
export async function exportCommand(
  run: string,
  options: { readonly to?: string | undefined; readonly json?: boolean | undefined },
): Promise<void> {
  const progress = new Progress();
  try {
    const exported = await exportRun(run, { to: options.to, onEvent: progress.show, signal: interruptionSignal() });
    process.stdout.write(options.json ? `${JSON.stringify(exported)}\n` : exportText(exported));
  } finally {
    progress.end();
  }
}

/** Where the model is and how to evaluate it. */
export function exportText({ model, weightsDigest, winner, verdict, lmEval }: ExportResult): string {
  const proof = verdict ? "the weights that were scored on the guard rows" : "not scored on the guard rows yet";
  return `exported ${winner.name} to ${model}\nweights ${weightsDigest}, ${proof}; read back and scored again\nevaluate it with: ${lmEval}\n`;
}
