import { describe, expect, test } from "vitest";
import { checkSubmission } from "../../src/submission/check-submission.ts";

const questions = [
  { id: "a", input: "?", choices: ["x", "y"], right: 1 },
  { id: "b", input: "?", choices: ["x", "y", "z"], right: 2 },
  { id: "c", input: "?", choices: ["x", "y"] },
  { id: "d", input: "Tell." },
];

const complete = { a: "1", b: "0", c: "0", d: "2 met" };

describe("checkSubmission", () => {
  test("finds nothing wrong with an answer to every question, and counts those that are known to be right", () => {
    expect(checkSubmission(new Map(Object.entries(complete)), questions)).toEqual({
      questions: 4,
      multipleChoice: 3,
      faults: [],
      accuracy: 0.5,
    });
  });

  test("measures generated texts by ROUGE where the wanted ones are known", () => {
    const asked = [
      { id: "a", input: "Tell.", wanted: "Police say two met." },
      { id: "b", input: "Tell.", wanted: "Nobody came" },
      { id: "c", input: "Tell." },
    ];
    const texts = { a: "two police met", b: "nothing", c: "anything" };
    const { rouge, accuracy } = checkSubmission(new Map(Object.entries(texts)), asked);
    expect(accuracy).toBeUndefined();
    // Three of three words are among four; the longest common subsequence has two of them.
    const longest = expect.closeTo(2 / 7, 12);
    expect(rouge).toEqual({ rouge1: expect.closeTo(3 / 7, 12), rouge2: 0, rougeL: longest, rougeLsum: longest });
    expect(checkSubmission(new Map([["a", "two"]]), asked)).not.toHaveProperty("rouge");
    expect(checkSubmission(new Map([["c", "two"]]), asked.slice(2))).not.toHaveProperty("rouge");
  });

  test("leaves the accuracy out where no right choice is known", () => {
    const { accuracy, faults } = checkSubmission(
      new Map([
        ["c", "1"],
        ["d", "text"],
      ]),
      questions.slice(2),
    );
    expect([accuracy, faults]).toEqual([undefined, []]);
  });

  test("names the first of the questions without a prediction and of the predictions of no question", () => {
    const { faults, accuracy } = checkSubmission(
      new Map([
        ["a", "1"],
        ["e", "0"],
        ["f", "0"],
      ]),
      questions,
    );
    expect(faults).toEqual(["3 ids without a prediction, such as 'b'", "2 ids of no question, such as 'e'"]);
    expect(accuracy).toBeUndefined();
  });

  test.each(["2", "-1", "1.0", "01", "B", " 1"])("%j is not the number of one of two choices", (prediction) => {
    const { faults } = checkSubmission(new Map(Object.entries({ ...complete, a: prediction })), questions);
    expect(faults).toEqual(["1 id whose prediction is not the number of a choice, from 0, such as 'a'"]);
  });
});
