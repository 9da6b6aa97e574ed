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
  [
    "cli/main.ts",
    ["cli/program.ts", "zod"],
    ["@tensorflow/", "@huggingface/hub", "device/ggml/", "hub/transfer/", "yaml"],
  ],
  [
    "cli/commands/merge.ts",
    ["merge-files/threads.ts", "zod"],
    [
      "@tensorflow/",
      "@huggingface/hub",
      "checkpoint/torch/",
      "device/ggml/",
      "evaluate/",
      "experiment/fetch-sources.ts",
      "experiment/sources.ts",
      "hub/cache/",
      "journal/",
      "search/",
      "space/",
      "tasks/",
      "tensor/gram.ts",
    ],
  ],
  ["index.ts", ["device/open-device.ts", "zod"], ["@tensorflow/", "@huggingface/hub"]],
  ["merge-files/merge-worker.ts", ["merge-files/hash-files.ts"], ["merge-files/merge-weight.ts", "merge/"]],
  [
    "merge-files/merge-work.ts",
    ["merge/declarations.ts"],
    ["merge/weight-facts.ts", "tensor/importance.ts", "tensor/noise.ts", "tensor/row-ranks.ts", "zod"],
  ],
])("%s loads what takes long when something needs it", (program, known, slow) => {
  const loaded = loadedBy(program);
  expect([...loaded]).toEqual(expect.arrayContaining(known));
  expect([...loaded].filter((name) => slow.some((start) => name.startsWith(start)))).toEqual([]);
});
