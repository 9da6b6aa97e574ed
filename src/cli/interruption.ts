/** The reason of a signal that Ctrl-C aborted. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** A signal that the first SIGINT or SIGTERM aborts; a second one ends the process as usual. */
export function interruptionSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => controller.abort(new Interrupted()));
  return controller.signal;
}
