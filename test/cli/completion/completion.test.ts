import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { completedCommands } from "../../../src/cli/completion/completed-commands.ts";
import { fishCompletion } from "../../../src/cli/completion/fish-completion.ts";
import { bashCompletion, zshCompletion } from "../../../src/cli/completion/posix-completion.ts";
import { buildProgram } from "../../../src/cli/program.ts";
import { shippedNames } from "../../../src/config/shipped-file.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const commands = completedCommands(buildProgram());

function isInstalled(shell: string): boolean {
  return spawnSync(shell, ["-c", "exit 0"]).status === 0;
}

/** What bash offers for the last of the words, in a folder with a folder `data` and a file `d x.yaml`. */
async function offeredByBash(...words: string[]): Promise<readonly string[]> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "data"));
  await writeFile(join(folder, "d x.yaml"), "");
  await writeFile(join(folder, "completion"), bashCompletion(commands));
  // compopt has a meaning in a completion alone.
  const script = `compopt() { :; }; source ./completion
    COMP_WORDS=(evomerge "$@"); COMP_CWORD=$#; _evomerge; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", script, "bash", ...words], {
    cwd: folder,
    encoding: "utf8",
    // Of a locale that the machine has not bash warns.
    env: { ...process.env, LC_ALL: "C" },
  });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((line) => line !== "");
}

describe("completion", () => {
  test("knows every command and its options", () => {
    const { options } = commands.find(({ words }) => words.join(" ") === "submission check")!;
    expect(options.flatMap(({ flags }) => flags)).toEqual(["--rows", "--json", "-h", "--help"]);
    expect(commands.map(({ words }) => words[0])).toEqual(expect.arrayContaining(["init", "run", "export", "doctor"]));
  });

  test.skipIf(!isInstalled("bash")).each([
    [["r"], ["report", "rerank", "resume", "run"]],
    [["run", "de"], ["demo"]],
    [
      ["run", "d"],
      ["demo", "d x.yaml", "data"],
    ],
    [["run", "--en"], ["--engine"]],
    [["run", "demo", "--engine", "g"], ["ggml"]],
    [
      ["run", "--out", "d"],
      ["d x.yaml", "data"],
    ],
    [["init", "--space", "per"], ["per-layer"]],
    [
      ["submission", ""],
      ["write", "check"],
    ],
    [["submission", "check", "--r"], ["--rows"]],
    [["check", "--r"], []],
    [["export", "run", "--t"], ["--to"]],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
    [
      ["x y", "r"],
      ["report", "rerank", "resume", "run"],
    ],
  ])("offers in bash, behind %j", async (words, offered) => {
    expect([...(await offeredByBash(...words))].toSorted()).toEqual(offered.toSorted());
  });

  test.skipIf(!isInstalled("zsh"))("is a function that zsh knows", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "_evomerge"), zshCompletion(commands));
    const script = "autoload -Uz compinit; compinit -u -D; source ./_evomerge; print $_comps[evomerge]";
    const { stdout, stderr } = spawnSync("zsh", ["-f", "-c", script], { cwd: folder, encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "_evomerge\n", stderr: "" });
  });

  test.skipIf(!isInstalled("fish")).each([
    ["evomerge r", ["report", "rerank", "resume", "run"]],
    ["evomerge run dem", ["demo"]],
    ["evomerge run --engine g", ["ggml"]],
    ["evomerge submission ", ["check", "write"]],
    ["evomerge check --js", ["--json"]],
  ])("offers in fish, behind %s", async (line, offered) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "completion"), fishCompletion(commands));
    const script = `source ./completion; complete -C "${line}"`;
    const { stdout } = spawnSync("fish", ["--no-config", "-c", script], { cwd: folder, encoding: "utf8" });
    expect(stdout.split("\n").flatMap((word) => word.split("\t")[0] || [])).toEqual(offered);
  });

  test("quotes what is said for fish", () => {
    expect(fishCompletion(commands)).toContain(String.raw`competition\'s submission.csv`);
    expect(bashCompletion(commands)).toContain(shippedNames("experiment").join(" "));
  });
});
