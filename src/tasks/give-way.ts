import { setImmediate } from "node:timers/promises";

/** Bytes of text, and rows, that are worked on at a stretch: some ten milliseconds' worth. */
export const STRETCH = { bytes: 2 ** 16, rows: 256 };

/** Lets the event loop take a turn in long work, so that an interrupt is seen; rejects with the signal's reason. */
export async function giveWay(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}

/** The items, with turns for the event loop between stretches of them. */
export async function* inStretches<T>(items: Iterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  let count = 0;
  for (const item of items) {
    if (count++ % STRETCH.rows === 0) await giveWay(signal);
    yield item;
  }
}
