import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { lmEvalCommand } from "../../src/export/lm-eval-command.ts";
import { shellWord } from "../../src/export/shell-word.ts";

describe("shellWord", () => {
  test.each(["plain/path-1.0_x", "with space", "it's", "$HOME", "`id`", "a\nb", "-x;y", "é", "'"])(
    "gives a shell back the text %j",
    (text) => {
      expect(execFileSync("sh", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" })).toBe(text);
    },
  );

  test("leaves plain texts as they are", () => {
    expect(shellWord("results/demo-2")).toBe("results/demo-2");
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
