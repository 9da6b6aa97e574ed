import { posix } from "node:path";
import { expect, test } from "vitest";
import { sourceFiles } from "./source-files.ts";

const texts = new Map(sourceFiles("src").map(({ path, text }) => [path, text]));

/** Packages that every start of a program loads: what its modules and theirs import, types left out. */
function loadedBy(path: string, seen = new Set<string>()): Set<string> {
  seen.add(path);
  for (const [, specifier = ""] of texts.get(path)!.matchAll(/^(?:import|export) (?!type )[^;]*?"([^"]+)";/gm)) {
    const target = specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : specifier;
    if (seen.has(target)) continue;
    if (texts.has(target)) loadedBy(target, seen);
    else seen.add(target);
  }
  return seen;
}

test.each([
  ["cli/main.ts", "cli/program.ts", ["@tensorflow/", "@huggingface/hub", "device/ggml/", "hub/transfer/", "yaml"]],
  [
    "cli/commands/merge.ts",
    "merge-files/threads.ts",
    ["@tensorflow/", "@huggingface/hub", "device/ggml/", "tasks/rows.ts"],
  ],
  ["index.ts", "device/open-device.ts", ["@tensorflow/", "@huggingface/hub"]],
])("%s loads what takes long when something needs it", (program, known, slow) => {
  const loaded = loadedBy(program);
  expect(loaded).toContain(known);
  expect(loaded).toContain("zod");
  expect([...loaded].filter((name) => slow.some((start) => name.startsWith(start)))).toEqual([]);
});
