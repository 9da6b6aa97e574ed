import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { readQuestions, type Question } from "../../src/submission/questions.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** Reads questions from a file of the given text, named rows.csv in errors. */
async function read(text: string): Promise<Question[]> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "rows.csv"), text);
  return readQuestions(join(folder, "rows.csv")).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new Error(error.message.replace(folder, ""), { cause: error });
  });
}

describe("readQuestions", () => {
  test("reads choices and texts to generate, in either order of the columns", async () => {
    const labelled = `id,input,target,answer_choices,eval_type
0,"A crow, a mole.
Where?",1,"['in the ""barn""', ""it's gone""]",multiple_choice
1,An article. A summary is,Two met.,None,generation
2,Which?,b,"['a', 'b']",multiple_choice
`;
    expect(await read(labelled)).toEqual([
      { id: "0", input: "A crow, a mole.\nWhere?", choices: ['in the "barn"', "it's gone"], right: 1 },
      { id: "1", input: "An article. A summary is", wanted: "Two met." },
      { id: "2", input: "Which?", choices: ["a", "b"], right: 1 },
    ]);
    const unlabelled = `id,input,eval_type,answer_choices\n7,Which?,multiple_choice,"['a', 'b']"\n8,Tell.,generation,None\n`;
    expect(await read(unlabelled)).toEqual([
      { id: "7", input: "Which?", choices: ["a", "b"] },
      { id: "8", input: "Tell." },
    ]);
  });

  test("takes the number of a choice for its number, even where a choice is that number", async () => {
    const [question] = await read(
      `id,input,target,answer_choices,eval_type\n0,2 + 1?,2,"['2', '4', '3']",multiple_choice\n`,
    );
    expect(question?.right).toBe(2);
  });

  test.each([
    ["3,Which?,2,\"['a', 'b']\",multiple_choice", "/rows.csv:2: target: expected one of the 2 choices"],
    ["3,Which?,c,\"['a', 'b']\",multiple_choice", "/rows.csv:2: target: expected one of the 2 choices"],
    ["3,Which?,,None,multiple_choice", "/rows.csv:2: answer_choices: expected a list such as ['a', 'b']"],
    [
      "3,Which?,,a b,multiple_choice",
      "/rows.csv:2: answer_choices: expected a list such as ['a', 'b'], as Python writes it",
    ],
    ["3,Which?,,['a'],multiple_choice", "/rows.csv:2: answer_choices: expected at least two choices"],
    ["3,,,None,generation", "/rows.csv:2: input: expected some text, found none"],
    [",Tell.,,None,generation", "/rows.csv:2: id: expected an id"],
    ["3,Tell.,,None,essay", "/rows.csv:2: eval_type: expected multiple_choice or generation"],
    ["3,Tell.,,None,generation\n3,Tell.,,None,generation", "/rows.csv:3: expected every id once, found '3' again"],
    ["", "/rows.csv: expected a header and at least one row, found no rows"],
  ])("refuses %j", async (record, message) => {
    await expect(read(`id,input,target,answer_choices,eval_type\n${record}\n`)).rejects.toThrow(message);
  });

  test("says why a file cannot be read", async () => {
    const folder = await temporaryFolder();
    await expect(readQuestions(join(folder, "none.csv"))).rejects.toThrow(
      new UserError(`${join(folder, "none.csv")}: no such file or directory; expected a CSV file with a header`),
    );
  });
});
