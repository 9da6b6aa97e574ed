import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync, readlinkSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { readSubmission, writeSubmission } from "../../src/submission/submission-file.ts";
import { temporaryFolder } from "../temporary-folder.ts";

describe("writeSubmission", () => {
  test("writes the columns that Kaggle expects, texts quoted where they must be", async () => {
    const path = join(await temporaryFolder(), "submission.csv");
    await writeSubmission(
      path,
      new Map([
        ["0", "3"],
        ["1", 'Two, "met"\nthere'],
        ["x", "a\rb"],
      ]),
    );
    expect(readFileSync(path, "utf8")).toBe(
      'id,prediction,dummy_field\n0,3,0\n1,"Two, ""met""\nthere",0\nx,"a\rb",0\n',
    );
  });

  test.each(["", " \n", "nan", "None", "NA", "null", "<NA>"])(
    "refuses the prediction %j and writes nothing",
    async (text) => {
      const path = join(await temporaryFolder(), "submission.csv");
      const writing = writeSubmission(
        path,
        new Map([
          ["0", "1"],
          ["17", text],
        ]),
      );
      await expect(writing).rejects.toThrow(UserError);
      await expect(writing).rejects.toThrow(
        /submission.csv is not written: the prediction of '17': expected some text, found .*such as unknown$/,
      );
      expect(existsSync(path)).toBe(false);
    },
  );
});

describe("writeSubmission over what is there", () => {
  const predictions = new Map([["0", "3"]]);

  test("leaves a link and replaces the file that it leads to", async () => {
    const folder = await temporaryFolder();
    const [file, link] = [join(folder, "file.csv"), join(folder, "link.csv")];
    await writeFile(file, "old");
    await symlink("file.csv", link);
    await writeSubmission(link, predictions);
    expect(readlinkSync(link)).toBe("file.csv");
    expect(await readSubmission(file)).toEqual(predictions);
  });

  test("leaves a pipe alone", async () => {
    const pipe = join(await temporaryFolder(), "pipe");
    execFileSync("mkfifo", [pipe]);
    const writing = writeSubmission(pipe, predictions);
    await expect(writing).rejects.toThrow(`cannot write ${pipe}: it is not a regular file; choose another name`);
    expect(lstatSync(pipe).isFIFO()).toBe(true);
  });
});

describe("readSubmission", () => {
  test("reads what was written", async () => {
    const path = join(await temporaryFolder(), "submission.csv");
    const prediction = fc
      .string({ unit: fc.constantFrom("a", "1", " ", ",", "'", '"', "\n", "\r", ";", "é"), minLength: 1 })
      .map((text) => `.${text}`);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(), { minLength: 1 }),
        fc.array(prediction, { minLength: 1 }),
        async (ids, texts) => {
          const predictions = new Map(ids.map((id, i) => [String(id), texts[i % texts.length]!]));
          await writeSubmission(path, predictions);
          expect(await readSubmission(path)).toEqual(predictions);
        },
      ),
      { numRuns: 30 },
    );
  });

  test.each([
    ["id,prediction,dummy_field\n1,a,0\n2,,0\n", "submission.csv:3: prediction: expected some text, found no text"],
    [
      "id,prediction,dummy_field\n1,NaN,0\n",
      'submission.csv:2: prediction: expected some text, found "NaN", which Kaggle reads',
    ],
    ["id,prediction,dummy_field\n1,a,0\n1,b,0\n", "submission.csv:3: expected every id once, found '1' again"],
    ["id,prediction,dummy_field\n1,a,1\n", "submission.csv:2: dummy_field: expected 0"],
    ["id,prediction\n1,a\n", "submission.csv:2: dummy_field: expected 0"],
    ["id,answer,dummy_field\n1,a,0\n", "submission.csv:2: prediction: expected a column of predictions"],
    ["id,prediction,dummy_field\n", "submission.csv: expected a header and at least one row, found no rows"],
    ["id,prediction,dummy_field\n1,a\n", "submission.csv: expected CSV with a header"],
  ])("refuses %j", async (text, message) => {
    const path = join(await temporaryFolder(), "submission.csv");
    await writeFile(path, text);
    await expect(readSubmission(path)).rejects.toThrow(message);
  });
});
