import { createRequire } from "node:module";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import koffi from "koffi";
import { describe, expect, test } from "vitest";
import { symbolsOf } from "../../../../src/device/ggml/products/elf-symbols.ts";
import { temporaryFolder } from "../../../temporary-folder.ts";

/** A library with its symbol table, for Linux on x64. */
const isThere = process.platform === "linux" && process.arch === "x64";
const library = isThere
  ? join(
      dirname(createRequire(import.meta.url).resolve("@node-llama-cpp/linux-x64")),
      "../bins/linux-x64/libggml-base.so",
    )
  : "";

describe.skipIf(!isThere)("symbolsOf (the fixture is for Linux x64)", () => {
  test("finds functions where the loader puts them", () => {
    const loaded = koffi.load(library);
    const names = ["ggml_new_graph", "ggml_mul_mat", "ggml_free", "gguf_init_empty"];
    const symbols = symbolsOf(library, ["ggml_", "gguf_"]);
    const starts = names.map((name) => koffi.address(loaded.symbol(name)) - symbols.get(name)!);
    expect(new Set(starts).size).toBe(1);
    expect(starts[0]! % 4096n).toBe(0n);
  });

  test("finds those that the library shows to nobody, and none of other names", () => {
    const loaded = koffi.load(library);
    const symbols = symbolsOf(library, ["ggml_"]);
    expect([...symbols.keys()].filter((name) => !name.startsWith("ggml_"))).toEqual([]);
    const hidden = [...symbols.keys()].filter((name) => {
      try {
        return !loaded.symbol(name);
      } catch {
        return true;
      }
    });
    expect(hidden.length).toBeGreaterThan(0);
    expect(hidden.length).toBeLessThan(symbols.size);
  });

  test("finds nothing in other files", async () => {
    expect(symbolsOf(import.meta.filename, ["ggml_"]).size).toBe(0);
    const file = join(await temporaryFolder(), "library.so");
    await writeFile(file, (await readFile(library)).subarray(0, 60));
    expect(symbolsOf(file, ["ggml_"]).size).toBe(0);
  });

  test("believes no header: whatever stands there, it reads what the file has", async () => {
    const whole = await readFile(library);
    const headers = Number(whole.readBigUInt64LE(40));
    const file = join(await temporaryFolder(), "library.so");
    const places = fc.oneof(fc.integer({ min: 16, max: 63 }), fc.integer({ min: headers, max: whole.length - 1 }));
    const changes = fc.array(fc.tuple(places, fc.nat({ max: 255 })), { minLength: 1, maxLength: 20 });
    const lengths = fc.oneof(fc.constant(whole.length), fc.nat({ max: whole.length }));
    await fc.assert(
      fc.asyncProperty(changes, lengths, async (changed, length) => {
        const bytes = Buffer.from(whole);
        for (const [place, value] of changed) bytes[place] = value;
        await writeFile(file, bytes.subarray(0, length));
        for (const name of symbolsOf(file, ["ggml_"]).keys()) expect(name.startsWith("ggml_")).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
