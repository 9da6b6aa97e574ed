import { promisify } from "node:util";
import koffi from "koffi";
import { describe, expect, test } from "vitest";
import { input } from "../../../src/device/expression.ts";
import { linear } from "../../../src/device/layers.ts";
import { openGgml } from "../../../src/device/ggml/engine.ts";
import type { CFunction } from "../../../src/device/ggml/library.ts";
import { takeMessages } from "../../../src/device/ggml/messages.ts";
import { startGgml } from "../../../src/device/ggml/start.ts";
import { OutOfMemory } from "../../../src/errors.ts";

describe("takeMessages", () => {
  test("has what ggml said on this thread before the call is over", async () => {
    const { ggml } = await startGgml();
    takeMessages();
    ggml.loadBackend("/nowhere/libggml-none.so");
    expect(takeMessages()).toEqual([expect.stringContaining("failed to load /nowhere/libggml-none.so")]);
    expect(takeMessages()).toEqual([]);
  });

  test("has what ggml says on other threads, while this one is in ggml too", async () => {
    const { ggml } = await startGgml();
    takeMessages();
    const inThread: (file: string) => Promise<unknown> = promisify(ggml.loadBackend.async);
    const calls = Array.from({ length: 8 }, (_, i) => inThread(`/nowhere/thread-${i}`));
    for (let i = 0; i < 8; i++) ggml.loadBackend(`/nowhere/main-${i}`);
    await Promise.all(calls);
    const said = takeMessages();
    for (let i = 0; i < 8; i++) {
      for (const thread of ["thread", "main"]) expect(said).toContainEqual(expect.stringContaining(`/${thread}-${i}:`));
    }
  });

  test("keeps the last lines of many, without control characters", async () => {
    const { ggml } = await startGgml();
    takeMessages();
    for (let i = 0; i < 100; i++) ggml.loadBackend(`/nowhere/\u001b[31m${i}`);
    const said = takeMessages();
    expect(said).toHaveLength(20);
    expect(said.at(-1)).toContain("/nowhere/ [31m99");
  });
});

test("an error for lack of memory has ggml's words", async () => {
  await using device = await openGgml({ backend: "cpu" });
  const rows = 2 ** 23;
  const column = input(await device.upload(new Uint8Array(4 * rows), "f32", [rows, 1]));
  takeMessages();
  // 256 TiB, more than any process can address.
  const work = (): Promise<unknown> => device.run([linear(column, column)]);
  await expect(work()).rejects.toThrow(/out of memory for .+; free the device, or use a larger one; ggml said: .*fail/);
  await expect(OutOfMemory.advising("ask for less", work)).rejects.toThrow(
    /out of memory for [^;]+; ask for less; ggml said: .*fail/,
  );
});

test.skipIf(process.platform !== "linux")("asynchronous calls have room for a compiler (glibc only)", async () => {
  await startGgml();
  // A parser that recurses: ggml's drivers bring larger ones. It ran out of the 128 KiB that koffi gives by itself.
  const compile = koffi.load("libc.so.6").func("int regcomp(void *preg, const char *regex, int flags)") as CFunction;
  const pattern = `${"(".repeat(5000)}a${")".repeat(5000)}`;
  const inThread: (...values: unknown[]) => Promise<unknown> = promisify(compile.async);
  expect(await inThread(Buffer.alloc(256), pattern, 1)).toBe(0);
});
