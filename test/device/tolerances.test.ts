import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tolerances } from "./tolerances.ts";

test("docs/engines.md states the tolerances that the contract suite goes by", async () => {
  const docs = await readFile(join(import.meta.dirname, "..", "..", "docs", "engines.md"), "utf8");
  const rows = docs
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter(([, engine = ""]) => engine in tolerances)
    .map(([, engine, ...cells]) => [engine, ...cells.slice(0, 3).map(Number)]);
  const stated = Object.entries(tolerances).map(([engine, { f32, bf16 }]) => [
    engine,
    f32.products,
    bf16.products,
    Math.max(f32.halfProducts, bf16.halfProducts),
  ]);
  expect(rows).toEqual(stated);
});
