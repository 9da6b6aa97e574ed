import type { Elsewhere } from "../experiment/workspace.ts";
import { UserError } from "../errors.ts";
import type { WorkerAnswer } from "./answers.ts";
import { JobBoard } from "./job-board.ts";
import type { QueuePlace } from "./open-redis.ts";
import { RemoteScorer } from "./remote-scorer.ts";

export interface JoinOptions {
  /** Whether workers with other engines than the first one's may answer. */
  readonly isMixed?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onNotice?: ((text: string) => void) | undefined;
}

/** Workers of an experiment, which score in place of this machine. */
export type Workers = Elsewhere & AsyncDisposable;

/**
 * Waits for the first worker for an experiment, whose engine is from then on that of the run; what others there are, or come later,
 * have the same. A UserError where Redis cannot be reached.
 */
export async function joinWorkers(
  place: QueuePlace,
  { isMixed = false, signal, onNotice = () => {} }: JoinOptions = {},
): Promise<Workers> {
  const board = await JobBoard.open(place, onNotice);
  try {
    let first: Extract<WorkerAnswer, { readonly kind: "engine" }> | undefined;
    const accept = (_: number, answer: WorkerAnswer): void => {
      if (answer.kind !== "engine") throw new UserError(`an answer: expected an engine, found ${answer.kind}`);
      first = answer;
    };
    await board.deal([{ kind: "join" }], { accept, signal });
    if (!first) throw new Error("workers: none has joined");
    const { engine, why } = first;
    return {
      engine,
      why: `of the workers at ${place.redis.shown}, ${why}`,
      scorer: (use, batchTokens, parents) => new RemoteScorer(board, { use, batchTokens, parents, isMixed }),
      [Symbol.asyncDispose]: () => board[Symbol.asyncDispose](),
    };
  } catch (error) {
    await board[Symbol.asyncDispose]();
    throw error;
  }
}
