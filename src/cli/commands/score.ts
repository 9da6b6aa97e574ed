import { scoreModel, type ScoreModelOptions } from "../../experiment/score-model.ts";
import type { EngineName } from "../../device/engine-names.ts";
import type { Precision } from "../../experiment/experiment.ts";
import type { PluginName } from "../../files/plugin-name.ts";
import type { MmluFormat } from "../../tasks/row-formats.ts";
import { interruptionSignal } from "../interruption.ts";
import { print, printJson } from "../output.ts";
import { Progress } from "../progress.ts";

export interface ScoreCommandOptions {
  readonly base?: string | undefined;
  readonly task: string;
  readonly format?: MmluFormat | PluginName | undefined;
  readonly description: boolean;
  readonly applyChatTemplate?: boolean | undefined;
  readonly limit?: number | undefined;
  readonly samples?: string | undefined;
  readonly plugin?: readonly string[] | undefined;
  readonly engine?: EngineName | PluginName | undefined;
  readonly precision?: Precision | undefined;
  readonly json?: boolean | undefined;
}

/** `evomerge score`: scores one model on a file of rows. */
export async function scoreCommand(
  model: string,
  { task, plugin, json, ...options }: ScoreCommandOptions,
): Promise<void> {
  const progress = new Progress();
  const onFetching: ScoreModelOptions["onFetching"] = (done) => progress.show({ type: "fetching", ...done });
  const onNotice = (text: string): void => progress.show({ type: "notice", text });
  const onProgress: ScoreModelOptions["onProgress"] = (share, rows) => progress.reach(`score of ${rows} rows`, share);
  const running = { signal: interruptionSignal(), onNotice, onFetching, onProgress };
  const scored = await scoreModel({ model, rows: task, plugins: plugin, ...options, ...running }).finally(progress.end);
  if (json) {
    printJson(scored);
    return;
  }
  const {
    rows,
    loss,
    accuracy,
    accuracyNormalised,
    accuracyByBytes,
    bitsPerByte,
    bytePerplexity,
    metrics = {},
  } = scored;
  const measures = [
    ["loss", loss],
    ["acc", accuracy],
    ["acc_norm", accuracyNormalised],
    ["acc_bytes", accuracyByBytes],
    ["bits_per_byte", bitsPerByte],
    ["byte_perplexity", bytePerplexity],
    ...Object.entries(metrics),
  ] as const;
  const lines = [
    ["rows", String(rows)],
    ...measures.flatMap(([name, value]) => (value === undefined ? [] : [[name, value.toFixed(6)]])),
    ["engine", `${scored.engine}, ${scored.precision}`],
  ];
  const width = Math.max(...lines.map(([name = ""]) => name.length));
  print(lines.map(([name = "", value]) => `${name.padEnd(width)}  ${value}`).join("\n"));
}
