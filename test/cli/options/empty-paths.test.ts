import { expect, test } from "vitest";
import { buildProgram } from "../../../src/cli/program.ts";

/** What a command says that ends before it does anything. */
async function refusalOf(args: readonly string[]): Promise<string> {
  let said = "";
  const program = buildProgram();
  for (const command of [program, ...program.commands, ...program.commands.flatMap((own) => own.commands)])
    command.configureOutput({ writeErr: (text) => (said += text) });
  await expect(program.parseAsync(args, { from: "user" })).rejects.toMatchObject({ name: "CommanderError" });
  return said;
}

test.each([
  [["run", ""], "argument 'experiment' is empty; give it a value"],
  [["merge", "merge.yml", ""], "argument 'folder' is empty"],
  [["merge", "", "out"], "argument 'recipe' is empty"],
  [
    ["merge", "recipe.json", "out", "--base", ""],
    "'--base <model>' argument '' is invalid. expected a folder or a name",
  ],
  [["run", "x.yaml", "--out", ""], "option '--out <folder>' is empty"],
  [["export", "run", "--to="], "option '--to <folder>' is empty"],
  [["evaluate", "run", "--models", "a", ""], "option '--models <names...>' is empty"],
  [["submission", "check", "a.csv", "--rows", ""], "option '--rows <csv>' is empty"],
])("%j is refused, and does nothing", async (args, message) => {
  expect(await refusalOf(args)).toContain(message);
});
