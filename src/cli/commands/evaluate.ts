import { join } from "node:path";
import { existsSync } from "node:fs";
import { evaluateModels, type Evaluated, type EvaluationEvent } from "../../lm-eval/evaluate-models.ts";
import { benchmarkSentences, benchmarkTable, wholeTasks } from "../../report/benchmark-table.ts";
import { alignedText } from "../../report/text/text-table.ts";
import { withCommand, wrapped } from "../../report/text/wrapped.ts";
import { writeTables } from "../../report/write-tables.ts";
import { printableLine } from "../../files/printable.ts";
import { duration } from "../../report/duration.ts";
import { Interrupted, interruptionSignal } from "../interruption.ts";
import { commandFor } from "../invocation.ts";
import { type MovedOptions, movedPlaces } from "../options/moved-options.ts";
import { print, printJson, resultWidth, tell } from "../output.ts";
import { eventLines } from "../event-lines.ts";
import { Progress } from "../progress.ts";
import { tryToWriteReport } from "../try-to-write.ts";

export interface EvaluateCommandOptions extends MovedOptions {
  /** Of lm_eval, with commas between them; mmlu unless given. */
  readonly task?: string | undefined;
  /** 8 unless given. */
  readonly batchSize?: string | undefined;
  /** The Python that has lm_eval. */
  readonly python?: string | undefined;
  /** Only these models of a run. */
  readonly models?: readonly string[] | undefined;
  /** Further arguments of lm_eval. */
  readonly args: readonly string[];
  readonly json?: boolean | undefined;
}

/** `evomerge evaluate`: evaluates the winner of a run and its parents, or one model, with lm_eval. */
export async function evaluateCommand(
  target: string,
  { task = "mmlu", batchSize = "8", json, ...options }: EvaluateCommandOptions,
): Promise<void> {
  const progress = new EvaluationProgress(task);
  const signal = interruptionSignal();
  try {
    const evaluated = await evaluateModels(target, {
      ...options,
      moved: movedPlaces(options),
      task,
      batchSize,
      onEvent: progress.show,
      signal,
    });
    progress.end();
    if (existsSync(join(target, "journal.jsonl"))) await writeTables(target, commandFor);
    if (json) printJson(evaluated);
    else print(evaluatedText(evaluated, resultWidth()));
    if (existsSync(join(target, "journal.jsonl"))) await tryToWriteReport(target, signal);
  } catch (error) {
    progress.end();
    if (error instanceof Interrupted)
      tell("interrupted; the same command goes on with the models that are not evaluated yet");
    throw error;
  }
}

function evaluatedText({ folder, benchmark }: Evaluated, width: number): string {
  const tables = wholeTasks(benchmark).map((task) =>
    [
      printableLine(`${task}, lm_eval ${benchmark.lmEvalVersion}`),
      alignedText(benchmarkTable(benchmark, task), { width }),
      "",
    ].join("\n"),
  );
  const sentences = wholeTasks(benchmark).flatMap((task) => benchmarkSentences(benchmark, task));
  const lines = sentences.flatMap((sentence) => wrapped(printableLine(sentence), width, { indent: 2 }));
  return [...tables, ...lines, ...withCommand("stored in", printableLine(folder), width)].join("\n");
}

/** Shows models one after another: a line for each that stays and, on a terminal, its progress. */
class EvaluationProgress {
  readonly #task: string;
  readonly #progress = new Progress(eventLines);

  constructor(task: string) {
    this.#task = task;
  }

  readonly show = (event: EvaluationEvent): void => {
    if (event.type === "evaluating") {
      this.#progress.reach(`${event.model} on ${this.#task}`, event.share);
    } else if (event.type === "evaluated") {
      const how = event.isStored ? "stored from before" : `evaluated in ${duration(1000 * event.seconds)}`;
      this.#progress.line(`${event.model} on ${this.#task}: ${how}`);
    } else {
      this.#progress.show(event);
    }
  };

  /** Removes the living line. */
  readonly end = (): void => this.#progress.end();
}
