/** What winner and parents write for rows of the guard that want a text: told beside the verdict, and never searched on. */
import { mean } from "simple-statistics";
import { UserError } from "../../errors.ts";
import type { Selection } from "../../evaluate/evaluator.ts";
import { productDtypes } from "../../experiment/precision.ts";
import { BASE } from "../../experiment/the-base.ts";
import { endIdsOf } from "../../generate/end-ids.ts";
import { generateTexts } from "../../generate/generate-texts.ts";
import { holdMerge } from "../../generate/held-merge.ts";
import { promptIds } from "../../generate/prompt-ids.ts";
import type { GuardedModel, RecordPayloads, RowCounts, TextScores } from "../../journal/records.ts";
import { rouge } from "../../rouge/rouge.ts";
import type { TaskRow } from "../../tasks/rows.ts";
import { withDeadline } from "../time/deadline.ts";
import { exportTime, textCounts, textTime } from "../estimates/finish-time.ts";
import { progressOf } from "../scoring/score-in-parts.ts";
import type { Session } from "../session/session.ts";

/** As lm_eval's tasks of one sentence ask for it. */
const WRITING = { maxNewTokens: 64, until: ["\n"] } as const;

/**
 * ROUGE of the texts of the winner and of each parent on some of the guard rows that the verdict was on. Undefined where no
 * task wants a text, where there is no time for a few, or where a model does not fit on the device as a whole, which is said.
 */
export async function compareTexts(
  session: Session,
  verdict: RecordPayloads["verdict"],
): Promise<RecordPayloads["texts"] | undefined> {
  const texts = await textsInTime(session, verdict);
  if (texts) session.emit({ type: "texts", texts });
  return texts;
}

/** Of the time that is left: the pass that is under way when it is over still ends. */
const USED_SHARE = 0.95;

async function textsInTime(
  session: Session,
  { models, rows: judged }: RecordPayloads["verdict"],
): Promise<RecordPayloads["texts"] | undefined> {
  const { recorder, clock, emit } = session;
  if (recorder.upcoming === "texts") return recorder.step("texts", unreachable);
  // Where nobody said how long a run may take, it takes no longer than what was asked for.
  if (recorder.upcoming !== undefined || recorder.readOnly || !clock.isTimed) return undefined;
  const writers = models.filter(({ kind }) => kind === "parent" || kind === "winner");
  const [all, ...fewer] = textCounts(session, judged);
  if (!all) return undefined;
  const leftMs = USED_SHARE * (clock.remainingMs - exportTime(session));
  const counts = [all, ...fewer].find((own) => textTime(session, writers.length, own) <= leftMs);
  try {
    const texts =
      counts &&
      (await withDeadline(
        leftMs,
        session.signal,
        (signal) => recorder.step("texts", () => write(session, writers, counts, signal)),
        clock.wall,
      ));
    if (texts) return texts;
    emit({
      type: "skipped",
      phase: "texts",
      why: "the budget has no time for models to write any; their ROUGE is not told",
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    emit({ type: "skipped", phase: "texts", why: error.message });
  }
  return undefined;
}

async function write(
  session: Session,
  writers: readonly GuardedModel[],
  counts: RowCounts,
  signal: AbortSignal,
): Promise<RecordPayloads["texts"]> {
  const { clock, order } = session;
  const onShare = progressOf(session, "texts");
  const rows = order.rows("guard", counts);
  const models: RecordPayloads["texts"]["models"][number][] = [];
  for (const [i, writer] of writers.entries()) {
    models.push({ name: writer.name, scores: await scoresOf(session, writer, rows, signal) });
    onShare((i + 1) / writers.length);
  }
  return { models, rows: counts, elapsedMs: clock.elapsedMs };
}

/** Mean f-measures, by task. */
async function scoresOf(
  { workspace }: Session,
  { recipe }: GuardedModel,
  rows: Selection,
  signal: AbortSignal,
): Promise<Readonly<Record<string, TextScores>>> {
  const { device, model, weights: parents, experts, tokenizer, vocabulary } = workspace;
  const endIds = await endIdsOf(vocabulary.tokenizer.folder);
  const merging = { device, model, parents, base: BASE, experts };
  const held = await holdMerge(merging, recipe, { precision: productDtypes(workspace.precision).exact, signal });
  try {
    const contexts = Object.values(rows).flatMap((own) => own.map(({ context }) => context));
    const prompts = await promptIds(model, tokenizer, contexts, { ...WRITING, signal });
    const written = await generateTexts(held, tokenizer, prompts, { ...WRITING, endIds, signal });
    const texts = written.map(({ text }) => text);
    return Object.fromEntries(
      Object.entries(rows).map(([task, own]) => [task, meanScores(own, texts.splice(0, own.length))]),
    );
  } finally {
    held.free();
  }
}

function meanScores(rows: readonly TaskRow[], texts: readonly string[]): TextScores {
  const scores = rows.map(({ continuations, label }, i) => rouge(continuations[label] ?? "", texts[i] ?? ""));
  const meanOf = (name: keyof TextScores): number => mean(scores.map((own) => own[name].fmeasure));
  return { rouge1: meanOf("rouge1"), rouge2: meanOf("rouge2"), rougeL: meanOf("rougeL") };
}

function unreachable(): never {
  throw new Error("texts: recorded ones were written");
}
