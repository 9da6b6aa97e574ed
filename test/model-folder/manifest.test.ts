import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { formatManifest, parseManifest } from "../../src/model-folder/manifest.ts";

const digests = new Map([
  ["README.md", "a".repeat(64)],
  ["config.json", "b".repeat(64)],
]);

/** A manifest with these lines whose own hash is right. */
function signed(lines: string): string {
  return `# evomerge export 1 ${createHash("sha256").update(lines).digest("hex")}\n${lines}`;
}

describe("a manifest", () => {
  test("lists what it was given, by name", () => {
    expect(parseManifest(formatManifest(digests))).toEqual(digests);
    const lines = `${"a".repeat(64)}  README.md\n${"b".repeat(64)}  config.json\n`;
    expect(formatManifest(new Map([...digests].toReversed()))).toBe(signed(lines));
  });

  test.each([
    ["of sha256sum", `${"a".repeat(64)}  README.md\n`],
    ["with another digest", formatManifest(digests).replace("aa", "ac")],
    ["with another line", `${formatManifest(digests)}${"c".repeat(64)}  notes.txt\n`],
    ["with a line less", formatManifest(digests).replace(/\n.*README.md/, "")],
    ["of another format", formatManifest(digests).replace("export 1", "export 2")],
    ["that leads out of its folder", signed(`${"a".repeat(64)}  ../README.md\n`)],
    ["of the folder itself", signed(`${"a".repeat(64)}  ..\n`)],
    ["with a line that is none", signed("README.md\n")],
    ["that is empty", ""],
  ])("%s is none of ours", (_, text) => {
    expect(parseManifest(text)).toBeUndefined();
  });
});
