import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { Questions } from "../../src/cli/questions.ts";
import { UserError } from "../../src/errors.ts";

const number = {
  text: "a number",
  missing: "give a number",
  read: (answer: string): number => {
    if (/^\d+$/.test(answer)) return Number(answer);
    throw new UserError("no number");
  },
};

function typed(text: string): Questions {
  const input = new PassThrough();
  input.end(text);
  return new Questions(true, input);
}

describe("Questions", () => {
  test("are answered line by line, an empty one by the preset", async () => {
    using questions = typed("7\n\n 8 \n");
    expect(await questions.ask(number)).toBe(7);
    expect(await questions.ask({ ...number, preset: "5" })).toBe(5);
    expect(await questions.ask({ ...number, preset: "5" })).toBe(8);
  });

  test("are asked again until the answer is one", async () => {
    using questions = typed("x\n\n3\n");
    expect(await questions.ask(number)).toBe(3);
  });

  test("end with a sentence where the answers end", async () => {
    using questions = typed("");
    await expect(questions.ask(number)).rejects.toThrow("the answers ended; nothing was written");
  });

  test("are not asked where nobody is: the preset counts, or there must be one", async () => {
    using questions = new Questions(false);
    expect(await questions.ask({ ...number, preset: "5" })).toBe(5);
    await expect(questions.ask(number)).rejects.toThrow(new UserError("give a number"));
  });
});
