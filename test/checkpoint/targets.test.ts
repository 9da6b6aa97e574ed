import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { targetsIn } from "../../src/checkpoint/adapter/targets.ts";

/** Which modules peft changes (test/fixtures/checkpoint/make-targets.py). */
const { modules, cases } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../fixtures/checkpoint/targets.json"), "utf8"),
) as {
  readonly modules: string[];
  readonly cases: readonly { readonly config: Record<string, unknown>; readonly changed: readonly string[] }[];
};

test.each(cases)("$config means the modules that it means to peft", ({ config, changed }) => {
  expect(modules.filter(targetsIn(config))).toEqual(changed);
});

test.each([
  {},
  { target_modules: null },
  { target_modules: "all-linear" },
  { target_modules: ".*q_proj" },
  { target_modules: [] },
])("%j leaves it to the tensors", (config) => {
  expect(modules.filter(targetsIn(config))).toEqual(modules);
});
