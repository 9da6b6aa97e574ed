import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { readJournal } from "../../src/journal/journal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";
import { command } from "./evomerge.ts";

const source = join(import.meta.dirname, "..", "..", "src");

/** Runs a line of bash in which `evomerge` is the command line; what it prints, its last line the code of evomerge. */
async function bash(folder: string, line: string): Promise<{ stdout: string; stderr: string }> {
  const words = command.map((word) => `'${word}'`).join(" ");
  const script = `evomerge() { ${words} "$@"; }\n${line}\n`;
  // Of a locale that the machine has not bash warns.
  const env = { ...process.env, LC_ALL: "C" };
  return promisify(execFile)("bash", ["-c", script], { cwd: folder, timeout: 600_000, env });
}

/** Opens descriptor 3 as a pipe whose reader, such as `head -0`, has gone. */
const readerGone = "exec 3> >(head -0); wait $!";

/** Types of the records that a run left. */
const recordsOf = (folder: string): string[] =>
  readJournal(join(folder, "results", "tiny")).records.map(({ type }) => type);

describe.skipIf(process.platform === "win32" || !existsSync("/dev/full"))(
  "a standard stream that takes nothing",
  () => {
    test.each([
      [
        "standard error with a reader that goes",
        `evomerge run tiny.yaml --json 2>&1 >result.json | head -1; echo \${PIPESTATUS[0]}`,
      ],
      ["standard error on a full disk", "evomerge run tiny.yaml --json 2>/dev/full >result.json; echo $?"],
      ["a closed standard error", "evomerge run tiny.yaml --json 2>&- >result.json; echo $?"],
    ])("does not end a run: %s", async (...[, line]) => {
      const folder = await temporaryFolder();
      await writeTinyExperiment(folder);
      const { stdout, stderr } = await bash(folder, line);
      expect(stdout.trimEnd().split("\n").at(-1)).toBe("0");
      expect(stderr).toBe("");
      expect(recordsOf(folder).at(-1)).toBe("verdict");
      expect(JSON.parse(readFileSync(join(folder, "result.json"), "utf8"))).toHaveProperty("winner");
    });

    test("lets a run go on to its export, and ends it with 1 when the result was not taken", async () => {
      const folder = await temporaryFolder();
      await writeTinyExperiment(folder);
      const gone = await bash(folder, `evomerge run tiny.yaml --export 2>&1 | head -1; echo \${PIPESTATUS[0]}`);
      // Where it was slow to begin, another line was its first.
      expect(gone).toEqual({ stdout: expect.stringMatching(/^(?:run|preparing: ).+\n1\n$/) as string, stderr: "" });
      expect(recordsOf(folder).at(-1)).toBe("verdict");
      expect(readdirSync(join(folder, "results", "tiny", "best"))).toContain("model.safetensors");
      const full = await bash(folder, "evomerge resume results/tiny >/dev/full; echo $?");
      expect(full.stdout).toBe("1\n");
      expect(full.stderr).toMatch(/\nevomerge: cannot write the result to standard output: no space left on device\n$/);
      expect(full.stderr).not.toMatch(/^\s+at /m);
    });

    test.each(["doctor", "doctor --json", "--help", "run --help", "--version"])("shows no stack: %s", async (args) => {
      const folder = await temporaryFolder();
      expect(await bash(folder, `${readerGone}; evomerge ${args} >&3; echo $?`)).toEqual({
        stdout: "1\n",
        stderr: "",
      });
      expect(await bash(folder, `evomerge ${args} >/dev/full; echo $?`)).toEqual({
        stdout: "1\n",
        stderr: "evomerge: cannot write the result to standard output: no space left on device\n",
      });
    });

    test("takes no words from an error", async () => {
      const folder = await temporaryFolder();
      expect(await bash(folder, "evomerge resume nowhere 2>/dev/full; echo $?")).toEqual({ stdout: "1\n", stderr: "" });
      expect(await bash(folder, "evomerge wrong 2>/dev/full; echo $?")).toEqual({ stdout: "2\n", stderr: "" });
    });
  },
);

test("standard output and standard error are written to in one place", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const writers = files.filter((name) => /\bprocess\.std(out|err)\b/.test(readFileSync(join(source, name), "utf8")));
  expect(writers).toEqual([join("cli", "output.ts")]);
});
