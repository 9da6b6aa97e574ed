import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { findLmEval } from "../../src/lm-eval/find-lm-eval.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeFakeLmEval } from "./fake-lm-eval.ts";

describe("findLmEval", () => {
  test("takes the Python that is named, before the one that the environment names", async () => {
    const { python } = await writeFakeLmEval(await temporaryFolder());
    const found = await findLmEval({ python, environment: { LM_EVAL_PYTHON: "/no/python", PATH: "" } });
    expect(found).toEqual({ command: [python, "-m", "lm_eval"], version: "0.4.13" });
    expect(await findLmEval({ environment: { LM_EVAL_PYTHON: python, PATH: "" } })).toEqual(found);
  });

  test("finds the command on the PATH, whose first line names its Python", async () => {
    const folder = await temporaryFolder();
    const { python } = await writeFakeLmEval(folder);
    const script = join(folder, "lm_eval");
    await writeFile(script, `#!${python}\nimport sys\n`);
    await chmod(script, 0o755);
    const environment = { PATH: `/no/such/folder:${folder}` };
    expect(await findLmEval({ environment })).toEqual({ command: [script], version: "0.4.13" });
  });

  test("finds the Python beside a command that starts it in another way, also through a link", async () => {
    const folder = await temporaryFolder();
    await writeFakeLmEval(folder);
    await writeFile(join(folder, "lm_eval"), "#!/bin/sh\n'''exec' python \"$0\"\n");
    await chmod(join(folder, "lm_eval"), 0o755);
    await mkdir(join(folder, "bin"));
    const link = join(folder, "bin", "lm_eval");
    await symlink(join(folder, "lm_eval"), link);
    expect(await findLmEval({ environment: { PATH: join(folder, "bin") } })).toEqual({
      command: [link],
      version: "0.4.13",
    });
  });

  test("finds the module under python where there is no command", async () => {
    const folder = await temporaryFolder();
    await writeFakeLmEval(folder);
    const found = await findLmEval({ environment: { PATH: folder } });
    expect(found).toEqual({ command: ["python", "-m", "lm_eval"], version: "0.4.13" });
  });

  test("says how to install it where there is none", async () => {
    const environment = { PATH: await temporaryFolder() };
    await expect(findLmEval({ environment })).rejects.toThrow(UserError);
    await expect(findLmEval({ environment })).rejects.toThrow('pip install "lm_eval[hf]==0.4.13"');
    await expect(findLmEval({ environment, python: "/no/python" })).rejects.toThrow("/no/python: expected a Python");
  });
});
