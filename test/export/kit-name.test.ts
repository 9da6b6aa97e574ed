import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kitName } from "../../src/export/starter-kit/kit-name.ts";

describe("kitName", () => {
  test.each([
    ["llama-3.chat_v2", "Llama3ChatV2", "llama_3_chat_v2"],
    ["demo", "Demo", "demo"],
    ["4-way", "Merge4Way", "merge_4_way"],
    ["none", "MergeNone", "merge_none"],
    ["__", "Merge", "merge"],
  ])("of %s is %s and %s", (name, className, method) => {
    expect(kitName(name)).toEqual({ className, method });
  });

  test("is a Python identifier for any name", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(kitName(name).className).toMatch(/^[A-Z][A-Za-z0-9]*$/);
        expect(kitName(name).method).toMatch(/^[a-z][a-z0-9_]*$/);
      }),
    );
  });
});
