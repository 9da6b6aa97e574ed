import { exportRun, type ExportResult } from "../../export/export-run.ts";
import type { StarterKitExport } from "../../export/starter-kit/export-starter-kit.ts";
import { printableLine } from "../../files/printable.ts";
import { commandFor } from "../invocation.ts";
import { interruptionSignal } from "../interruption.ts";
import { type MovedOptions, movedPlaces } from "../options/moved-options.ts";
import { outcomeJson } from "../outcome-json.ts";
import { print, printJson, printSentence } from "../output.ts";
import { eventLines } from "../event-lines.ts";
import { Progress } from "../progress.ts";

export interface ExportCommandOptions extends MovedOptions {
  readonly to?: string | undefined;
  /** What of the run's front, in place of the winner. */
  readonly pick?: string | undefined;
  /** Checkout of the competition's starter kit. */
  readonly starterKit?: string | undefined;
  /** Repository to upload the model to. */
  readonly push?: string | undefined;
  readonly private?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `evomerge export`: writes the winner of a run, or its best so far, as a Hugging Face folder. */
export async function exportCommand(
  run: string,
  { to, pick, starterKit, push, private: isPrivate, json, ...options }: ExportCommandOptions,
): Promise<void> {
  const progress = new Progress(eventLines);
  try {
    const exported = await exportRun(run, {
      to,
      pick,
      commandFor,
      starterKit,
      moved: movedPlaces(options),
      push: push === undefined ? undefined : { name: push, private: isPrivate },
      onEvent: progress.show,
      signal: interruptionSignal(),
    });
    if (json) printJson(outcomeJson(exported));
    else printExport(exported);
  } finally {
    progress.end();
  }
}

/** Writes where the model is and how to evaluate it, and what else was done with it. */
export function printExport(exported: ExportResult): void {
  const { model, weightsDigest, winner, verdict, pick, lmEval, starterKit, pushed } = exported;
  const judged = pick?.judged ? "of a recipe scored on the guard rows" : "not scored on the guard rows yet";
  const proof = verdict ? "scored on the guard rows" : judged;
  const which = pick ? [`front ${pick.place}`, ...pick.names].join(", ") : winner.name;
  printSentence(`exported ${which} to`, model);
  printSentence(`weights, ${proof}, read back and scored again: sha256`, weightsDigest);
  printSentence("evaluate it with:", lmEval);
  if (starterKit) print(starterKitLines(starterKit).map(printableLine).join("\n"));
  if (pushed) printSentence(`pushed to ${pushed.url}, commit ${pushed.commit}`);
}

function starterKitLines({ checkout, module, registration, commands }: StarterKitExport): string[] {
  return [
    `starter kit: wrote ${module}`,
    ...(registration.length > 0 ? ["its patch adds", ...registration.map((line) => `  ${line}`)] : []),
    `in ${checkout}, run`,
    ...commands.map((command) => `  ${command}`),
  ];
}
