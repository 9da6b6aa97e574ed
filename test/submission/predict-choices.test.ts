import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { checkSubmissionCommand, writeSubmissionCommand } from "../../src/cli/commands/submission.ts";
import { UserError } from "../../src/errors.ts";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { generateAnswers } from "../../src/submission/generate-answers.ts";
import { generatedTexts } from "../../src/submission/generated-texts.ts";
import { predictChoices } from "../../src/submission/predict-choices.ts";
import { readSubmission, writeSubmission } from "../../src/submission/submission-file.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { quizRows, writeRows } from "../tiny-experiment.ts";
import { writeTinyModel } from "../tiny-model.ts";

const tokenizer = join(import.meta.dirname, "..", "fixtures", "tasks", "tokenizers", "byte-level");

interface Quiz {
  readonly input: string;
  readonly answer_choices: readonly string[];
  readonly label: number;
}

const quiz = quizRows("test", 12) as Quiz[];
const questions = quiz.map(({ input, answer_choices, label }, i) => ({
  id: `q${i}`,
  input,
  choices: answer_choices,
  right: label,
}));

const news = join(import.meta.dirname, "..", "..", "experiments", "demo", "news");
const nurses =
  "Article: It was very cold. Eight nurses were saved. On Monday a blast shook the farm in Dover.\nSummary:";

/** Makes the head so large that logits are infinite. */
function overflow(name: string, values: Float32Array): void {
  if (name === "lm_head.weight") values.fill(3e38);
}

describe("predictChoices", () => {
  test("answers as often right as the score of the same rows says, question by question", async () => {
    const folder = await temporaryFolder();
    const model = await writeTinyModel(join(folder, "model"), { tokenizer });
    const shares: number[] = [];
    const options = { precision: "f32", onProgress: (share: number) => void shares.push(share) } as const;
    const predictions = await predictChoices(model, [...questions, { id: "text", input: "Tell." }], options);
    await writeRows(join(folder, "rows.jsonl"), quiz);
    const { scores } = await scoreModel({ model, rows: join(folder, "rows.jsonl"), precision: "f32" });
    expect(Array.from(predictions)).toEqual(questions.map(({ id }, i) => [id, String(scores[i]!.answer)]));
    expect(questions.map(({ id, right }) => predictions.get(id) === String(right))).toEqual(
      scores.map(({ correct }) => correct),
    );
    expect(new Set(predictions.values()).size).toBeGreaterThan(1);
    expect(shares.at(-1)).toBe(1);
  });

  test("opens no model where there is nothing to choose", async () => {
    expect(await predictChoices("/nowhere", [{ id: "text", input: "Tell." }])).toEqual(new Map());
  });

  test("says which question a broken model cannot answer", async () => {
    const model = await writeTinyModel(join(await temporaryFolder(), "model"), { tokenizer, edit: overflow });
    await expect(predictChoices(model, questions.slice(0, 1))).rejects.toThrow(
      new UserError(
        `${model}: cannot answer question 'q0': the likelihood of a choice is not finite; check the weights`,
      ),
    );
  });
});

describe("generatedTexts", () => {
  const asked = [...questions, { id: "t1", input: "Tell." }, { id: "t2", input: "Tell." }];

  test("takes the texts of another submission and nothing else", async () => {
    const path = join(await temporaryFolder(), "kit.csv");
    await writeSubmission(
      path,
      new Map([
        ["q0", "3"],
        ["t2", "two"],
        ["t1", "one"],
      ]),
    );
    expect(Array.from(await generatedTexts(asked, path))).toEqual([
      ["t1", "one"],
      ["t2", "two"],
    ]);
  });

  test("may be a part of them, and none is a fault", async () => {
    const path = join(await temporaryFolder(), "kit.csv");
    await writeSubmission(path, new Map([["t1", "one"]]));
    expect(Array.from(await generatedTexts(asked, path))).toEqual([["t1", "one"]]);
    await writeSubmission(path, new Map([["q0", "3"]]));
    await expect(generatedTexts(asked, path)).rejects.toThrow(
      new UserError(
        `${path}: expected texts for the 2 questions of eval_type generation, found none of them, not even that of 't1'`,
      ),
    );
  });
});

describe("generateAnswers", () => {
  const asked = [...questions.slice(0, 2), { id: "t1", input: nurses }, { id: "t2", input: `It is. ${nurses}` }];

  test("answers questions without choices, and puts a word where a model says nothing", async () => {
    const notices: string[] = [];
    const options = { maxNewTokens: 24, onNotice: (text: string): void => void notices.push(text) };
    const found = await generateAnswers(news, asked, { ...options, until: ["\n", "Monday"] });
    expect(Array.from(found.keys())).toEqual(["t1", "t2"]);
    expect(found.get("t1")).toBe(" Police say nurses saved in Dover farm blast on ");
    expect(await generateAnswers(news, asked.slice(2, 3), { ...options, until: ["Police"] })).toEqual(
      new Map([["t1", "unknown"]]),
    );
    expect(notices.at(-1)).toBe(
      '1 of 1 generated texts have nothing that Kaggle takes for text; "unknown" stands in their place',
    );
  });

  test("tells each answer while others are under way", async () => {
    const controller = new AbortController();
    const long = Array.from({ length: 300 }, (_, i) => ({ id: `l${i}`, input: `It is ${i}. ${nurses}` }));
    const told = new Map<string, string>();
    const onAnswer = (id: string, answer: string): void => {
      told.set(id, answer);
      controller.abort(new Error("enough"));
    };
    const options = { maxNewTokens: 24, until: ["\n"], signal: controller.signal, onAnswer };
    await expect(generateAnswers(news, [...long, { id: "fox", input: "The fox" }], options)).rejects.toThrow("enough");
    expect(told.size).toBeGreaterThan(0);
    expect(told.size).toBeLessThan(long.length);
  });

  test("opens no model where there is nothing to write", async () => {
    expect(await generateAnswers("/nowhere", questions)).toEqual(new Map());
  });
});

describe("evomerge submission", () => {
  test("writes a file that it finds in order, with the texts that it is given", async () => {
    const folder = await temporaryFolder();
    const model = await writeTinyModel(join(folder, "model"), { tokenizer });
    const [rows, kit, to] = ["rows.csv", "kit.csv", "submission.csv"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const records = questions.slice(0, 3).map(({ id, input, choices, right }) => {
      const list = `[${choices.map((choice) => `'${choice}'`).join(", ")}]`;
      return `${id},"${input}",${right},"${list}",multiple_choice\n`;
    });
    await writeFile(rows, `id,input,target,answer_choices,eval_type\n${records.join("")}t,Tell.,,None,generation\n`);
    await writeSubmission(kit, new Map([["t", "a text"]]));
    const output: string[] = [];
    const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => output.push(String(text)) > 0);
    try {
      await writeSubmissionCommand(model, { rows, to, generated: kit });
      await checkSubmissionCommand(to, { rows, json: true });
      await expect(checkSubmissionCommand(kit, { rows })).rejects.toThrow("3 ids without a prediction, such as 'q0'");
    } finally {
      stdout.mockRestore();
    }
    expect(Array.from((await readSubmission(to)).keys())).toEqual(["q0", "q1", "q2", "t"]);
    expect(output[0]).toMatch(
      /^wrote .*submission.csv\nquestions        4\nmultiple choice  3\ngenerated        1\naccuracy         \d/,
    );
    expect(JSON.parse(output[1]!)).toMatchObject({ questions: 4, faults: [] });
  });

  test("generates the texts that it is not given", async () => {
    const folder = await temporaryFolder();
    const [rows, to] = [join(folder, "rows.csv"), join(folder, "submission.csv")];
    const lines = [`c,"${nurses}","['Yes', 'No']",multiple_choice`, `t,"${nurses}",None,generation`];
    await writeFile(rows, `id,input,answer_choices,eval_type\n${lines.join("\n")}\n`);
    const stdout = vi.spyOn(process.stdout, "write").mockImplementation(() => true);
    try {
      await writeSubmissionCommand(news, { rows, to, maxNewTokens: 24, until: ["\n"] });
    } finally {
      stdout.mockRestore();
    }
    const written = await readSubmission(to);
    expect(written.get("t")).toBe(" Police say nurses saved in Dover farm blast on Monday.");
    expect(["0", "1"]).toContain(written.get("c"));
  });
});
