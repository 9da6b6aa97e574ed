import { UserError } from "../errors.ts";
import { isPluginName, type PluginName } from "../files/plugin-name.ts";
import { realPath } from "../files/real-path.ts";
import { replaceableFile } from "../files/replaceable-file.ts";
import type { Hub } from "../hub/api/hub.ts";
import { loadPlugins, pluginFile } from "../plugins/load-plugins.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { inChat, turnsOf } from "../tasks/chat.ts";
import { nameFiles, readRows, type ReadRowsOptions, type TaskRow } from "../tasks/rows.ts";
import type { MmluFormat, RowFormat } from "../tasks/row-formats.ts";
import { hasRoomForSamples, writeSamples, type Sample } from "../tasks/samples.ts";
import { summarise, type RowScore, type Summary } from "../tasks/score.ts";
import type { EngineName } from "../device/engine-names.ts";
import { cutRows } from "./cut-rows.ts";
import type { Precision } from "./experiment.ts";
import { productDtypes } from "./precision.ts";
import { type ModelToScore, parentsToScore } from "./parents-to-score.ts";
import type { SourceOptions } from "./sources.ts";
import { openWorkspace } from "./workspace.ts";

export interface ScoreModelOptions extends ModelToScore {
  /** One file of rows or several, as `readRows` reads them. */
  readonly rows: string | readonly string[];
  /** Rendering of MMLU rows; or the format of a plugin that reads these rows. */
  readonly format?: MmluFormat | PluginName | undefined;
  /** Plugins whose formats and engines may be named: files, or packages that are installed in this folder. */
  readonly plugins?: readonly string[] | undefined;
  /** Whether MMLU rows begin with lm_eval's description of their subject; true unless given. */
  readonly description?: boolean | undefined;
  /** Whether rows are given as a chat, by the template of the model's tokenizer: lm_eval's `--apply_chat_template`. */
  readonly applyChatTemplate?: boolean | undefined;
  /** Number of rows to score, from the first. */
  readonly limit?: number | undefined;
  /** File to write each row's log-likelihoods and scores to: JSON lines as lm_eval's `--log_samples` writes them. */
  readonly samples?: string | undefined;
  readonly engine?: EngineName | PluginName | undefined;
  readonly precision?: Precision | undefined;
  /** Where the model comes from if it is not on this machine; the environment's unless given. */
  readonly hub?: Hub | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told the share of the scoring that is done, and the number of rows. */
  readonly onProgress?: ((share: number, rows: number) => void) | undefined;
  /** Told what a person should know, such as a better engine that does not work here. */
  readonly onNotice?: SourceOptions["onNotice"];
  /** Told how far the model's download is. */
  readonly onFetching?: SourceOptions["onProgress"];
}

export interface ModelScores extends Summary {
  readonly engine: string;
  readonly precision: string;
  /** In the order of the file. */
  readonly scores: readonly (RowScore & Pick<TaskRow, "id">)[];
}

/** Scores one model on a file of rows. A file of samples is written once all rows are scored. */
export async function scoreModel(options: ScoreModelOptions): Promise<ModelScores> {
  const { limit = Infinity, engine = "auto", precision = "auto" } = options;
  const { hub, signal, onNotice, onProgress, onFetching } = options;
  const files = [options.rows].flat();
  const samples = options.samples === undefined ? undefined : await samplesFile(options.samples, files);
  const { modules: plugins, formats } = await loadPlugins((options.plugins ?? []).map((own) => pluginFile(own, ".")));
  const { rows: asked, docs } = await firstRows(files, limit, formats, options);
  const { scored, ...parents } = await parentsToScore(options, { hub, signal, onNotice, onProgress: onFetching });
  await using workspace = await openWorkspace({ ...parents, engine, plugins, precision }, { signal, onNotice });
  const rows = options.applyChatTemplate === true ? await chatRows(asked, workspace.tokenizer, signal) : asked;
  const recipes = [{ method: "passthrough", model: scored }] as const;
  await workspace.evaluator.prepare(rows, signal);
  const cut = cutRows(`rows of ${nameFiles(files)}`, rows, workspace.evaluator);
  if (cut !== undefined) onNotice?.(cut);
  const onShare = (share: number): void => onProgress?.(share, rows.length);
  const [evaluation] = await workspace.evaluator.evaluate(
    recipes,
    { rows },
    { signal, greedy: samples !== undefined, onProgress: onShare },
  );
  const scores = evaluation?.scores["rows"] ?? [];
  if (samples !== undefined) {
    const written = rows.flatMap((row, i): Sample[] => {
      const [doc, score] = [docs[i], scores[i]];
      return doc && score ? [{ row, doc, score }] : [];
    });
    await writeSamples(samples, written);
  }
  return {
    ...summarise(rows, scores),
    engine: workspace.device.name,
    precision: productDtypes(workspace.precision).exact,
    scores: scores.map((score, i) => Object.assign({ id: rows[i]?.id ?? "" }, score)),
  };
}

async function chatRows(rows: readonly TaskRow[], tokenizer: Tokenizer, signal?: AbortSignal): Promise<TaskRow[]> {
  const contexts = await tokenizer.renderChats(rows.map(turnsOf), signal);
  return rows.map((row, i) => inChat(row, contexts[i] ?? ""));
}

interface FirstRows {
  readonly rows: readonly TaskRow[];
  /** What the files have of them, where samples are to be written. */
  readonly docs: readonly Sample["doc"][];
}

async function firstRows(
  files: readonly string[],
  limit: number,
  formats: ReadonlyMap<PluginName, RowFormat>,
  { format, description = true, samples, signal }: ScoreModelOptions,
): Promise<FirstRows> {
  const docs: Sample["doc"][] = [];
  const onRecord = (values: Sample["doc"]): void => {
    if (samples !== undefined && docs.length < limit) docs.push(values);
  };
  const rows = await readRows(files, { description, onRecord, ...howToRead(format, formats) }, signal);
  return { rows: rows.slice(0, limit), docs };
}

function howToRead(
  name: MmluFormat | PluginName | undefined,
  formats: ReadonlyMap<PluginName, RowFormat>,
): Pick<ReadRowsOptions, "format" | "rowFormat"> {
  if (name === undefined) return {};
  if (!isPluginName(name)) return { format: name };
  const rowFormat = formats.get(name);
  if (rowFormat) return { rowFormat };
  const known = formats.size === 0 ? "none" : [...formats.keys()].join(", ");
  throw new UserError(`format: expected one of the given plugins (--plugin), which have ${known}, found ${name}`);
}

/** Where samples are to be written, asked before anything is scored; a UserError where that would replace anything but samples. */
async function samplesFile(path: string, rows: readonly string[]): Promise<string> {
  const place = await replaceableFile(path);
  for (const file of rows) {
    if (realPath(file) === realPath(place))
      throw new UserError(`cannot write ${path}: it is a file of rows; choose another name`);
  }
  if (!(await hasRoomForSamples(place)))
    throw new UserError(`cannot write ${path}: it is there and holds no samples; choose another name`);
  return place;
}
