/** The reason of a signal that a deadline aborted, told apart from a person's interruption. */
export class DeadlineReached extends Error {
  override readonly name = "DeadlineReached";
}

/** Runs `work` with a signal that aborts after `ms`, or when `outer` does; undefined when the deadline came first. */
export async function withDeadline<T>(
  ms: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const controller = new AbortController();
  const passOn = (): void => controller.abort(outer?.reason);
  if (outer?.aborted) passOn();
  outer?.addEventListener("abort", passOn);
  // A timer holds at most 2^31 - 1 ms; a longer deadline is none.
  const timer = ms < 2 ** 31 ? setTimeout(() => controller.abort(new DeadlineReached()), Math.max(0, ms)) : undefined;
  try {
    return await work(controller.signal);
  } catch (error) {
    if (error instanceof DeadlineReached) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", passOn);
  }
}
