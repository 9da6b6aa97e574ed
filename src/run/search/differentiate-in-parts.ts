/**
 * The gradients of a generation in parts of its rows, so that a crash loses one of them and not all. Other than a score, a sum of
 * gradients has the bits of its parts: they are decided, and recorded, before the first of them.
 * @module
 */
import { UserError } from "../../errors.ts";
import type { Selection } from "../../evaluate/evaluator.ts";
import { knownTensors } from "../../experiment/identity.ts";
import type { RecordedTime } from "../../journal/records.ts";
import { joined } from "../../tensor/float64.ts";
import { deal, gather, mapTasks } from "../scoring/deal-rows.ts";
import { rowWeights, rowWeightsOf, type ObjectiveTask } from "../session/objective.ts";
import type { AskedGeneration, ScoredGeneration } from "./score-generation.ts";
import { type InPartsOptions, progressOf } from "../scoring/score-in-parts.ts";
import { flatLosses, type Session } from "../session/session.ts";

/** What the points made of the rows of a part, one point after another. */
interface Part {
  /** Losses of the rows, task by task. */
  readonly rowLosses: Float64Array;
  /** What these rows add to the derivatives of the combined loss by the coordinates. */
  readonly gradients: Float64Array;
  readonly time: RecordedTime;
}

/** Scores and differentiates what is not recorded yet of a generation, and records every part but the last. */
export async function differentiateInParts(
  session: Session,
  { points, rows, parts: count, weights: own }: AskedGeneration,
  objective: readonly ObjectiveTask[],
  { signal, onShare }: InPartsOptions,
): Promise<ScoredGeneration> {
  const hands = deal(rows, count);
  const weights = own ? rowWeightsOf(objective, rows, own) : rowWeights(objective, rows);
  const report = progressOf(session, "search", { onShare });
  const parts = recordedParts(session, points.length, hands);
  const shares = parts.map(() => 1);
  const began = parts.length;
  const differentiateOne = (i: number, ends: AbortSignal): Promise<Part> => {
    const onProgress = (share: number): void => {
      shares[began + i] = share;
      report(shares.reduce((sum, own) => sum + own, 0) / count);
    };
    return differentiate(session, points, hands[began + i] ?? {}, { weights, signal: ends, onProgress });
  };
  const { lanes } = session.workspace.signal;
  for await (const part of severalAtOnce(count - began, lanes, signal, differentiateOne)) {
    parts.push(part);
    if (parts.length < count) record(session, part);
  }
  const last = parts.at(-1);
  if (!last) throw new Error("gradients: no parts");
  return { ...join(parts, points.length, rows), time: last.time };
}

/** Results in their order, of which up to so many are begun before they are asked for; none goes on when one fails. */
async function* severalAtOnce<T>(
  count: number,
  lanes: number,
  signal: AbortSignal | undefined,
  begin: (index: number, ends: AbortSignal) => Promise<T>,
): AsyncGenerator<T> {
  const over = new AbortController();
  const ends = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  const begun: Promise<T>[] = [];
  try {
    for (let next = 0; next < count; next += 1) {
      while (begun.length < Math.min(next + lanes, count)) {
        const one = begin(begun.length, ends);
        // It may fail while an earlier one is awaited.
        one.catch(() => {});
        begun.push(one);
      }
      const [first] = begun.slice(next);
      if (first) yield await first;
    }
  } finally {
    over.abort();
    await Promise.allSettled(begun);
  }
}

interface DifferentiateOptions {
  readonly weights: Readonly<Record<string, number | readonly number[]>>;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (share: number) => void;
}

async function differentiate(
  { workspace, recorder, clock, paces, genome }: Session,
  points: readonly Float64Array[],
  rows: Selection,
  { weights, ...options }: DifferentiateOptions,
): Promise<Part> {
  const began = clock.wall.now();
  const recipes = points.map((point) => genome.decode(point));
  const evaluations = await workspace.signal.gradient(recipes, rows, weights, options);
  recorder.recordParents(() => knownTensors(workspace));
  const tokens = workspace.signal.tokensOf(rows);
  // Those that go on at once share the time.
  const ms = (clock.wall.now() - began) / workspace.signal.lanes;
  const time = { models: points.length, tokens, passes: 1, ms, waitMs: 0 };
  paces.gradient.learn(time);
  const gradients = joined(points.map((point, i) => genome.pullBack(point, evaluations[i]?.derivatives ?? {})));
  return { rowLosses: Float64Array.from(flatLosses(evaluations)), gradients, time };
}

function record({ recorder, clock }: Session, { rowLosses, gradients, time }: Part): void {
  recorder.recordPart({
    type: "gradient",
    rowLosses: recorder.storeNumbers(rowLosses),
    gradients: recorder.storeNumbers(gradients),
    time,
    elapsedMs: clock.elapsedMs,
  });
}

/** A UserError where the rows of a part are not as many as it is dealt now. */
function recordedParts({ recorder }: Session, points: number, hands: readonly Selection[]): Part[] {
  return recorder.gradients().map(({ rowLosses, gradients, time }, i) => {
    const expected = points * Object.values(hands[i] ?? {}).flat().length;
    if (rowLosses.count !== expected) {
      throw new UserError(
        `${recorder.folder}, result: a recorded part of the gradients: expected ${expected} losses, found ${rowLosses.count}; resume with the versions that the journal's first record names`,
      );
    }
    return { rowLosses: recorder.readNumbers(rowLosses), gradients: recorder.readNumbers(gradients), time };
  });
}

/** Losses of all rows in their order, and sums of gradients in that of the parts. */
function join(parts: readonly Part[], points: number, rows: Selection): Omit<ScoredGeneration, "time"> {
  const made = Array.from({ length: points }, (_, point) => {
    const own = (values: Float64Array): Float64Array => ofPoint(values, point, points);
    const losses = gather(
      rows,
      parts.map(({ rowLosses }) => own(rowLosses)),
    );
    return { losses, gradient: parts.map(({ gradients }) => own(gradients)).reduce(sumOf) };
  });
  return {
    evaluations: made.map(({ losses }) => ({ scores: mapTasks(losses, (own) => own.map((loss) => ({ loss }))) })),
    gradients: made.map(({ gradient }) => gradient),
  };
}

function ofPoint(values: Float64Array, point: number, points: number): Float64Array {
  const length = values.length / points;
  return values.slice(point * length, (point + 1) * length);
}

function sumOf(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, j) => value + (b[j] ?? Number.NaN));
}
