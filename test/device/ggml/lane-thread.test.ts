import koffi from "koffi";
import { afterEach, describe, expect, test } from "vitest";
import { functionIn, type NativeCall } from "../../../src/device/ggml/c-functions.ts";
import { LaneThread } from "../../../src/device/ggml/lane-thread.ts";
import { OutOfMemory } from "../../../src/errors.ts";
import { enlargeStacks } from "../../../src/device/ggml/stacks.ts";

/** More than Node's pool has threads. */
const THREADS = 6;

describe.skipIf(process.platform === "win32")("the thread of a lane", () => {
  enlargeStacks();
  const program = koffi.load(null);
  const abs = functionIn(program, "int abs(int x)");
  const memset = functionIn(program, "void memset(void *bytes, int value, size_t count)");
  const threads: LaneThread[] = [];

  function start(): LaneThread {
    const thread = new LaneThread();
    threads.push(thread);
    return thread;
  }

  afterEach(async () => {
    await Promise.all(threads.splice(0).map((thread) => thread.end()));
  });

  const setTo = (bytes: Uint8Array, value: number): NativeCall => ({
    place: memset.place,
    values: [koffi.address(bytes), value, bytes.length],
  });

  test("makes calls in their order, up to one that fails", async () => {
    const bytes = new Uint8Array(4);
    const failing = {
      calls: [{ place: abs.place, values: [-3] }],
      refusal: (result: unknown) => new Error(String(result)),
    };
    const works = [{ calls: [setTo(bytes, 1), setTo(bytes.subarray(2), 2)] }, failing, { calls: [setTo(bytes, 3)] }];
    const thread = start();
    await expect(thread.do(works)).rejects.toThrow(/^3$/);
    expect([...bytes]).toEqual([1, 1, 2, 2]);
    await thread.do([{ calls: [setTo(bytes, 4)] }]);
    expect([...bytes]).toEqual([4, 4, 4, 4]);
  });

  test("says what cannot be called", async () => {
    const thread = start();
    const calls = [{ place: abs.place, values: ["three"] }];
    await expect(thread.do([{ calls }])).rejects.toThrow("a call of a C function failed: TypeError: ");
    await expect(thread.do([{ calls: [{ place: abs.place, values: [() => {}] }] }])).rejects.toThrow(
      /could not be cloned/,
    );
    await thread.do([{ calls: [{ place: abs.place, values: [0] }] }]);
    const lost = thread.do([{ calls: [{ place: abs.place, values: [0] }] }]);
    await thread.end();
    await lost.catch((error: unknown) => expect(String(error)).toContain("its thread has ended"));
    await thread.do([{ calls: [{ place: abs.place, values: [0] }] }]);
  });

  test("lends works one scratchpad, as large as any wants", async () => {
    const lent: bigint[] = [];
    const work = (bytes: number): object => ({ scratchpad: { bytes, lend: (at: bigint) => void lent.push(at) } });
    const thread = start();
    await thread.do([100, 0, 30_000].map((bytes) => ({ calls: [], ...work(bytes) })));
    expect(lent).toEqual([lent[0], lent[0]]);
    expect(lent[0]! % 4096n).toBe(0n);
    expect(thread.bytes).toBeGreaterThanOrEqual(30_000);
    await thread.do([{ calls: [], ...work(20_000) }]);
    expect(lent[2]).toBe(lent[0]);
  });

  test("is out of memory for a scratchpad that cannot be had, and goes on", async () => {
    const thread = start();
    const scratchpad = { bytes: 2 ** 52, lend: () => {} };
    await expect(thread.do([{ calls: [], scratchpad }])).rejects.toThrow(OutOfMemory);
    await thread.do([{ calls: [], scratchpad: { bytes: 100, lend: () => {} } }]);
    expect(thread.bytes).toBeLessThan(10_000);
  });

  test.skipIf(process.platform !== "linux")("goes on whatever others do, however many there are", async () => {
    const barrier = new Uint8Array(256);
    const begin = functionIn(program, "int pthread_barrier_init(void *barrier, void *attributes, uint count)");
    const wait = functionIn(program, "void pthread_barrier_wait(void *barrier)");
    expect(begin(barrier, null, THREADS)).toBe(0);
    // Nobody comes through before all are there.
    const calls = [{ place: wait.place, values: [koffi.address(barrier)] }];
    await Promise.all(Array.from({ length: THREADS }, () => start().do([{ calls }])));
    expect(barrier).toHaveLength(256);
  });
});
