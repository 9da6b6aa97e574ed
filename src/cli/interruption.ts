/** The reason of a signal that Ctrl-C aborted. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** What a person is told who interrupts a download. */
export const interruptedFetching = "interrupted while fetching; the same command goes on from there";

/** One Ctrl-C may arrive several times: from the terminal, and passed on by npm or another parent process. */
const ONE_PRESS_MS = 1000;

/** A signal that the first SIGINT or SIGTERM aborts; a later one, not of the same press, ends the process as usual. */
export function interruptionSignal(): AbortSignal {
  const controller = new AbortController();
  let pressedAt: number | undefined;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    const onSignal = (): void => {
      pressedAt ??= performance.now();
      controller.abort(new Interrupted());
      if (performance.now() - pressedAt < ONE_PRESS_MS) return;
      process.removeListener(name, onSignal);
      process.kill(process.pid, name);
    };
    process.on(name, onSignal);
  }
  return controller.signal;
}
