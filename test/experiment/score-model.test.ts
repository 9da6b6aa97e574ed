import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadTasks } from "../../src/experiment/load-tasks.ts";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { openWorkspace } from "../../src/experiment/workspace.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { quizRows, tinyExperiment, writeRows } from "../tiny-experiment.ts";

describe("scoreModel", () => {
  test("scores a model on every row as a run scores that parent", async () => {
    const folder = await temporaryFolder();
    const experiment = await tinyExperiment(folder);
    const rows = join(folder, "rows", "quiz.jsonl");
    const { scores, loss, accuracy, ...scored } = await scoreModel({
      model: join(folder, "craft"),
      rows,
      precision: "f32",
    });
    expect(scored).toMatchObject({ rows: 16, precision: "f32" });
    expect(loss).toBeCloseTo(scores.reduce((sum, row) => sum + row.loss, 0) / 16, 12);
    expect(accuracy).toBe(scores.filter(({ correct }) => correct).length / 16);
    expect(scored.accuracyNormalised).toBe(scores.filter(({ correctNormalised }) => correctNormalised).length / 16);

    await using workspace = await openWorkspace(experiment);
    const tasks = await loadTasks(experiment, workspace.evaluator);
    const quiz = tasks.find(({ name }) => name === "quiz")!.search;
    const [evaluation] = await workspace.evaluator.evaluate([{ method: "passthrough", model: "craft" }], { quiz });
    expect(scores.map(({ id }) => id)).toEqual(quiz.map(({ id }) => id));
    expect(scores.map(({ loss }) => loss)).toEqual(evaluation!.scores["quiz"]!.map(({ loss }) => loss));
  });

  test("counts an answer as right whose text is likelier, whichever label it has", async () => {
    const folder = await temporaryFolder();
    await tinyExperiment(folder);
    const rows = join(folder, "labels.jsonl");
    const [row] = quizRows("search", 1) as [{ answer_choices: string[] }];
    await writeRows(
      rows,
      row.answer_choices.map((target, label) => ({ ...row, target, label })),
    );
    const { scores, accuracy } = await scoreModel({ model: join(folder, "base"), rows });
    expect(accuracy).toBe(0.25);
    const least = Math.min(...scores.map(({ loss }) => loss));
    expect(scores.find(({ correct }) => correct)!.loss).toBe(least);
    expect(scores.reduce((sum, { loss }) => sum + Math.exp(-loss), 0)).toBeCloseTo(1, 5);
  });

  test("gives text rows a loss and no accuracy, and stops at the limit", async () => {
    const folder = await temporaryFolder();
    await tinyExperiment(folder);
    const rows = join(folder, "rows", "news.jsonl");
    const told: number[][] = [];
    const onProgress = (...progress: number[]): void => void told.push(progress);
    const { scores, ...scored } = await scoreModel({ model: join(folder, "base"), rows, limit: 3, onProgress });
    expect(scores).toHaveLength(3);
    // After each of four stages: embedding, two layers, head.
    expect(told).toEqual([0.25, 0.5, 0.75, 1].map((share) => [share, 3]));
    expect(scored).toMatchObject({ rows: 3 });
    expect(scored).not.toHaveProperty("accuracy");
  });

  test("writes samples of the rows that it scored", async () => {
    const folder = await temporaryFolder();
    await tinyExperiment(folder);
    const samples = join(folder, "samples.jsonl");
    const rows = join(folder, "rows", "quiz.jsonl");
    const score = (): ReturnType<typeof scoreModel> =>
      scoreModel({ model: join(folder, "base"), rows, limit: 5, samples });
    await writeFile(samples, "");
    await score();
    // In the place of earlier samples.
    const { scores, accuracy } = await score();
    const lines = (await readFile(samples, "utf8")).trimEnd().split("\n");
    const written = lines.map((line) => JSON.parse(line) as { acc: number; filtered_resps: string[][] });
    expect(written).toHaveLength(5);
    expect(written.map(({ filtered_resps }) => filtered_resps.map(([value]) => Number(value)))).toEqual(
      scores.map(({ logLikelihoods }) => logLikelihoods),
    );
    expect(written.reduce((sum, { acc }) => sum + acc, 0) / 5).toBe(accuracy);
    const file = (await readFile(rows, "utf8")).split("\n").slice(0, 5);
    expect(written).toMatchObject(file.map((line, doc_id) => ({ doc_id, doc: JSON.parse(line) as object })));
  });

  test("refuses to write samples in place of the rows, or where no file can be, before it scores", async () => {
    const folder = await temporaryFolder();
    await tinyExperiment(folder);
    const rows = join(folder, "rows", "quiz.jsonl");
    const before = await readFile(rows, "utf8");
    const link = join(folder, "link.jsonl");
    await symlink(rows, link);
    let told = 0;
    const onProgress = (): unknown => (told += 1);
    const scoring = (samples: string): Promise<unknown> =>
      scoreModel({ model: join(folder, "base"), rows, samples, onProgress });
    for (const samples of [rows, link])
      await expect(scoring(samples)).rejects.toThrow(
        `cannot write ${samples}: it is a file of rows; choose another name`,
      );
    const weights = join(folder, "base", "model.safetensors");
    await expect(scoring(weights)).rejects.toThrow(
      `cannot write ${weights}: it is there and holds no samples; choose another name`,
    );
    await expect(scoring(folder)).rejects.toThrow("it is not a regular file");
    await expect(scoring(join(folder, "absent", "a.jsonl"))).rejects.toThrow("no such file or directory");
    expect(told).toBe(0);
    expect(await readFile(rows, "utf8")).toBe(before);
  });

  test("says how many rows are longer than the window", async () => {
    const folder = await temporaryFolder();
    await tinyExperiment(folder);
    const rows = join(folder, "long.jsonl");
    await writeRows(rows, [
      ...quizRows("search", 3),
      ...[1, 2].map((n) => ({
        input: `The fox ${n} `.repeat(400),
        target: "fox",
        answer_choices: ["fox", "a"],
        label: 0,
      })),
    ]);
    const notices: string[] = [];
    await scoreModel({ model: join(folder, "base"), rows, engine: "ggml", onNotice: (text) => notices.push(text) });
    expect(notices).toEqual([
      `2 of 5 rows of ${rows} are longer than the window of 256 tokens and lose their beginning, as in lm_eval`,
    ]);
  });

  test("renders MMLU rows as the format says", async () => {
    const folder = await temporaryFolder();
    await tinyExperiment(folder);
    const rows = join(folder, "mmlu.jsonl");
    const subject = "plants";
    await writeRows(rows, [
      { question: "Which is green?", subject, choices: ["leaf", "ear", "lung", "fin"], answer: 0 },
    ]);
    const model = join(folder, "base");
    const losses = new Set<number>();
    for (const options of [{}, { description: false }, { format: "mmlu_continuation" }] as const) {
      losses.add((await scoreModel({ model, rows, ...options })).loss);
    }
    expect(losses.size).toBe(3);
    await expect(scoreModel({ model, rows: join(folder, "rows", "news.jsonl"), format: "mmlu" })).rejects.toThrow(
      "news.jsonl: the format mmlu needs MMLU rows, found text rows; leave the format out",
    );
  });

  test("asks rows as turns of a chat, as lm_eval does", async () => {
    const folder = await temporaryFolder();
    await tinyExperiment(folder);
    const model = join(folder, "base");
    const template = "{% for turn in messages %}{{ turn.role }}: {{ turn.content|trim }}. {% endfor %}bot:";
    await writeFile(join(model, "chat_template.jinja"), template);
    const files = {
      choice: [{ input: " Why? ", target: "so", answer_choices: ["so", " no"], label: 0 }],
      text: [{ input: "The fox", target: "lives" }],
      mmlu: [{ question: "Which?", subject: "high_plants", choices: ["leaf", "ear", "lung", "fin"], answer: 0 }],
    };
    const asked: Record<string, unknown> = {};
    for (const [name, rows] of Object.entries(files)) {
      const [path, samples] = [join(folder, `${name}.jsonl`), join(folder, `${name}.samples.jsonl`)];
      await writeRows(path, rows);
      const { accuracyNormalised } = await scoreModel({ model, rows: path, samples, applyChatTemplate: true });
      const sample = JSON.parse(await readFile(samples, "utf8"));
      const values = sample.filtered_resps.map(([value]: [string]) => Number(value));
      if (name === "choice") expect(accuracyNormalised).toBe(Number(values[0] / 2 >= values[1] / 3));
      asked[name] = Object.values(sample.arguments).map((one) => Object.values(one as object));
    }
    const question =
      "system: The following are multiple choice questions (with answers) about high plants.. user: Which?";
    const options = "A. leaf\nB. ear\nC. lung\nD. fin";
    expect(asked).toEqual({
      choice: ["so", " no"].map((answer) => ["user: Why?. bot:", answer]),
      text: [["user: The fox. bot:", " lives"]],
      mmlu: ["A", "B", "C", "D"].map((answer) => [`${question}\n${options}\nAnswer:. bot:`, answer]),
    });
    await writeFile(join(model, "chat_template.jinja"), "{% if %}");
    const refused = scoreModel({ model, rows: join(folder, "choice.jsonl"), applyChatTemplate: true });
    await expect(refused).rejects.toThrow("/base: its chat template cannot take ' Why? ': ");
  });

  test("stops at a signal", async () => {
    const folder = await temporaryFolder();
    await tinyExperiment(folder);
    const signal = AbortSignal.abort(new Error("enough"));
    const scoring = scoreModel({ model: join(folder, "base"), rows: join(folder, "rows", "news.jsonl"), signal });
    await expect(scoring).rejects.toThrow("enough");
  });
});
