import { type Clock, systemClock } from "./clock.ts";

/** The reason of a signal that a deadline aborted, told apart from a person's interruption. */
class DeadlineReached extends Error {
  override readonly name = "DeadlineReached";
}

/** Runs `work` with a signal that aborts after `ms`, when it gives up, or when `outer` does; undefined after the first two. */
export async function withDeadline<T>(
  ms: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal, giveUp: () => void) => Promise<T>,
  clock: Clock = systemClock,
): Promise<T | undefined> {
  const controller = new AbortController();
  const passOn = (): void => controller.abort(outer?.reason);
  if (outer?.aborted) passOn();
  outer?.addEventListener("abort", passOn);
  const giveUp = (): void => controller.abort(new DeadlineReached());
  const cancel = clock.after(ms, giveUp);
  try {
    return await work(controller.signal, giveUp);
  } catch (error) {
    if (error instanceof DeadlineReached) return undefined;
    throw error;
  } finally {
    cancel();
    outer?.removeEventListener("abort", passOn);
  }
}
