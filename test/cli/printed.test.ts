import * as fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { LivingText, print, printJson, tell, tellError, usage } from "../../src/cli/output.ts";
import { markdownTable } from "../../src/report/table.ts";
import { alignedText } from "../../src/report/text/text-table.ts";
import { hostileText, obeyed } from "../files/hostile-text.ts";

afterEach(() => vi.restoreAllMocks());

/** Everything that is written to either stream while `write` runs. */
function written(write: () => void): string {
  let all = "";
  const take = (text: unknown): boolean => ((all += String(text)), true);
  vi.spyOn(process.stdout, "write").mockImplementation(take);
  vi.spyOn(process.stderr, "write").mockImplementation(take);
  write();
  vi.restoreAllMocks();
  return all;
}

test.each<[string, (text: string) => void]>([
  ["a result", print],
  ["a result as JSON", (text) => printJson({ [text]: [text] })],
  ["a sentence", tell],
  ["an error", tellError],
  ["the help", usage.writeOut],
  ["a wrong usage", usage.writeErr],
  ["a table", (text) => print(alignedText({ header: ["a", text], rows: [[text, "b"]] }))],
  ["a line that stays", (text) => new LivingText().line(text)],
])("%s reaches the terminal without anything that it would obey", (_, write) => {
  fc.assert(
    fc.property(hostileText, (text) => {
      expect(written(() => write(text))).not.toMatch(obeyed);
    }),
  );
});

test("a line that lives is moved by nothing but what removes it", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      let all = "";
      const stream = { isTTY: true, write: (piece: string): boolean => ((all += piece), true) };
      const living = new LivingText(stream, {});
      living.status(text);
      living.status("");
      expect(all.replaceAll("\r\u001B[K", "")).not.toMatch(obeyed);
    }),
  );
});

test("an error that quotes several lines has one that begins like ours", () => {
  expect(written(() => tellError("evomerge: a\nevomerge: b\n\u001B[2Jc"))).toBe(
    "evomerge: a\n  evomerge: b\n  \\u001B[2Jc\n",
  );
});

test("a table of any names keeps its lines and columns", () => {
  fc.assert(
    fc.property(hostileText, hostileText, (name, task) => {
      const table = { header: ["model", task], rows: [[name, "1"]] };
      expect(alignedText(table).split("\n")).toHaveLength(3);
      const lines = markdownTable(table).split("\n");
      expect(lines).toHaveLength(3);
      for (const line of lines) expect(line.replaceAll(/\\[\\|]/g, "").split("|")).toHaveLength(4);
    }),
  );
});
