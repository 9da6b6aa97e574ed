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

test.each(["cli/main.ts", "index.ts"])("%s loads what takes long when something needs it", (program) => {
  const loaded = loadedBy(program);
  expect(loaded).toContain("device/open-device.ts");
  expect(loaded).toContain("zod");
  const slow = [...loaded].filter((name) => name.startsWith("@tensorflow/") || name === "@huggingface/hub");
  expect(slow).toEqual([]);
});
