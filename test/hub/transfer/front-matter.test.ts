import { describe, expect, test } from "vitest";
import { frontMatter } from "../../../src/hub/transfer/front-matter.ts";

const card = (yaml: string): string => `---\n${yaml}\n---\n# A card\n`;

describe("frontMatter", () => {
  test("reads what a card begins with, and nothing of what it cannot", () => {
    expect(frontMatter(card("license: mit"))).toEqual({ license: "mit" });
    expect(frontMatter(`\uFEFF${card("a: 1").replaceAll("\n", "\r\n")}`)).toEqual({ a: 1 });
    expect(frontMatter("# A card without")).toBeUndefined();
    expect(frontMatter(card("a: ["))).toBeUndefined();
  });

  // Each took the parser up to minutes on the main thread.
  test.each([
    ["keys", Array.from({ length: 60_000 }, (_, i) => `k${i}: 1`).join("\n")],
    ["keys, just short enough", Array.from({ length: 24_000 }, (_, i) => `k${i}: 1`).join("\n")],
    ["faults", `[${",".repeat(1_000_000)}`],
    ["faults, just short enough", `[${",".repeat(250_000)}`],
    ["tags", "! ".repeat(125_000)],
    ["anchors", Array.from({ length: 10_000 }, (_, i) => `- &a${i} 1\n- *a${i}`).join("\n")],
    ["brackets", "[".repeat(250_000)],
  ])("of a stranger's card takes a moment: %s", (_, yaml) => {
    expect(() => frontMatter(card(yaml))).not.toThrow();
  });
});
