import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { weightBytes } from "../../src/checkpoint/weight-bytes.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("sums the files of weights, and is 0 of a folder that is not there", async () => {
  const folder = await temporaryFolder();
  const sizes = { "model-1-of-2.safetensors": 100, "model-2-of-2.safetensors": 20, "old.bin": 3, "config.json": 5 };
  for (const [name, size] of Object.entries(sizes)) writeFileSync(join(folder, name), new Uint8Array(size));
  expect(await weightBytes(folder)).toBe(123);
  expect(await weightBytes(join(folder, "none"))).toBe(0);
  mkdirSync(join(folder, "empty"));
  expect(await weightBytes(join(folder, "empty"))).toBe(0);
});
