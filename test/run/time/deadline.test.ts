import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { withDeadline } from "../../../src/run/time/deadline.ts";

const forever = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });

const checkOnce = async (signal: AbortSignal): Promise<void> => signal.throwIfAborted();

describe("withDeadline", () => {
  test("gives what the work gives, when it is in time or has no deadline", async () => {
    expect(await withDeadline(1000, undefined, async () => 7)).toBe(7);
    expect(await withDeadline(Infinity, undefined, () => delay(5, 8))).toBe(8);
  });

  test("gives undefined when the deadline comes first, or has passed", async () => {
    expect(await withDeadline(10, undefined, forever)).toBeUndefined();
    expect(await withDeadline(-10, undefined, forever)).toBeUndefined();
  });

  test("throws the reason of an interruption, before or after it begins", async () => {
    const interruption = new AbortController();
    const working = withDeadline(60_000, interruption.signal, forever);
    interruption.abort(new Error("enough"));
    await expect(working).rejects.toThrow("enough");
    await expect(withDeadline(60_000, interruption.signal, checkOnce)).rejects.toThrow("enough");
  });

  test("throws the failure of the work", async () => {
    await expect(withDeadline(1000, undefined, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  });
});
