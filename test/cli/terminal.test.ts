import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { columnsOf } from "../../src/report/text/columns.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";
import { command } from "./evomerge.ts";

/** That of util-linux, which gives a program a terminal. */
const hasScript = ((): boolean => {
  try {
    return execFileSync("script", ["--version"], { encoding: "utf8" }).includes("util-linux");
  } catch {
    return false;
  }
})();

/** What a terminal of so many columns is written by a command, with the sequences that move its cursor. */
async function writtenTo(columns: number, folder: string, args: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const words = command.map((word) => `'${word}'`).join(" ");
  const line = `stty cols ${columns} rows 24 && ${words} ${args}`;
  const surroundings = { ...process.env, TERM: "xterm", CI: "", SHELL: "/bin/sh", ...env };
  const { stdout } = await promisify(execFile)("script", ["-qefc", line, "/dev/null"], {
    cwd: folder,
    env: surroundings,
    timeout: 600_000,
  });
  return stdout.replaceAll("\r\n", "\n");
}

const CLEAR = "\r\u001B[K";

describe.skipIf(!hasScript)("a terminal", () => {
  test.each([40, 80, 120])("of %i columns is told of a run in lines that fit", async (columns) => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    const written = await writtenTo(columns, folder, "run tiny.yaml --out run --export");
    // What is written in the place of a line that lives follows it.
    const pieces = written.split("\n").map((line) => line.split(CLEAR));
    const lines = pieces.map((line) => line.at(-1) ?? "");
    const living = pieces.flatMap((line) => line.slice(0, -1));
    expect(lines.join("\n")).toMatch(/guard rows, which the[^]*exported evolved merge to[^]*report:/);
    expect(lines.join("")).not.toMatch(/opening|\[=/);
    expect(lines.join("")).not.toContain("\u001B");
    // Broken between words, but for what a person copies.
    const wide = lines.filter((line) => columnsOf(line) > columns);
    for (const line of wide) expect(line).toMatch(/^ {2}(?:\/|lm_eval |[0-9a-f]{64}$)/);
    for (const status of living) expect(columnsOf(status)).toBeLessThan(columns);
    const shares = living.flatMap((status) => Array.from(status.matchAll(/(\d+) %/g), ([, share]) => Number(share)));
    expect(shares.length).toBeGreaterThan(3);
    expect(shares).toEqual(shares.toSorted((x, y) => x - y));
  });

  test.each([{ TERM: "dumb" }, { CI: "true" }])("of which nothing is to be moved has plain lines: %j", async (env) => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    const written = await writtenTo(80, folder, "run tiny.yaml --out run", env);
    expect(written).toContain("winner: ");
    expect(written).not.toContain("\u001B");
  });
});
