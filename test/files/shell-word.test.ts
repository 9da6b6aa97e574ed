import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lmEvalCommand } from "../../src/export/lm-eval-command.ts";
import { shellPath, shellWord } from "../../src/files/shell-word.ts";
import { printableLine } from "../../src/files/printable.ts";
import { temporaryFolder } from "../temporary-folder.ts";

describe("shellWord", () => {
  test.each([
    "plain/path-1.0_x",
    "with space",
    "it's",
    "$HOME",
    "`id`",
    "a\nb",
    "-x;y",
    "é",
    "'",
    "é\u2028\u0085z\t%s\\n'\u202E",
    "-\n0",
  ])("gives a shell back the text %j", (text) => {
    expect(execFileSync("sh", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" })).toBe(text);
  });

  test.each(["a\nb", "a\u0085'b", "\u2028"])("is nothing that a terminal would not show, for %j", (text) => {
    expect(printableLine(shellWord(text))).toBe(shellWord(text));
  });

  test("leaves plain texts as they are", () => {
    expect(shellWord("results/demo-2")).toBe("results/demo-2");
  });
});

describe("shellPath", () => {
  test.each(["-x", "--help me", "a\nb", "a\n", "\u2028", "plain"])("leads a command to the folder %j", async (name) => {
    const folder = await temporaryFolder();
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "here"), "");
    const line = printableLine(`cd ${shellPath(name)} && ls`);
    expect(execFileSync("sh", ["-c", line], { cwd: folder, encoding: "utf8" })).toBe("here\n");
  });
});

describe("lmEvalCommand", () => {
  test("quotes a path that needs it", () => {
    expect(lmEvalCommand("/a b/best")).toBe(
      "lm_eval --model hf --model_args 'pretrained=/a b/best' --tasks mmlu --batch_size 8",
    );
  });

  test.each(["/a,b/best", "/a=b/best", "/{a}/best", "/a/best ", "/it's, so/best", "/a\nb"])(
    "goes to the folder where lm_eval would divide its path: %j",
    (folder) => {
      expect(lmEvalCommand(folder)).toBe(
        `cd ${shellWord(folder)} && lm_eval --model hf --model_args pretrained=. --tasks mmlu --batch_size 8`,
      );
    },
  );
});
