import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { FollowedJournal, Journal, readJournal } from "../../src/journal/journal.ts";
import { writeSyntheticRun } from "../report/synthetic-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";

async function searchedRun(generations = 3): Promise<{ folder: string; path: string }> {
  const folder = join(await temporaryFolder(), "run");
  writeSyntheticRun(folder, { generations, population: 4, until: "search" });
  return { folder, path: join(folder, "journal.jsonl") };
}

describe("a journal that is followed", () => {
  test("is what a reader finds, however much of it is there", async () => {
    const { folder, path } = await searchedRun();
    const content = readFileSync(path);
    const { records } = readJournal(folder);
    const followed = new FollowedJournal(folder);
    const ends = [...content.keys()].filter((i) => content[i] === 10).map((i) => i + 1);
    for (let bytes = ends[0]!; ; bytes = Math.min(content.length, bytes + 97)) {
      writeFileSync(path, content.subarray(0, bytes));
      expect(followed.read().records).toHaveLength(ends.filter((end) => end <= bytes).length);
      if (bytes === content.length) break;
    }
    expect(followed.read().records).toEqual(records);
  });

  test("reads what was added, and not again what it knows", async () => {
    const { folder } = await searchedRun();
    const followed = new FollowedJournal(folder);
    const [first] = followed.read().records;
    {
      using journal = Journal.open(folder);
      journal.append({ type: "budget", budget: { seconds: 60 } });
    }
    const view = followed.read();
    const { records } = view;
    expect(records[0]).toBe(first);
    expect(records.at(-1)).toMatchObject({ type: "budget" });
    const result = records.find((record) => record.type === "result");
    expect(view.readNumbers(result!.rowLosses)).toHaveLength(result!.rowLosses.count);
  });

  test("passes over a torn record, which the resumed run cuts off", async () => {
    const { folder, path } = await searchedRun();
    const followed = new FollowedJournal(folder);
    const { length } = followed.read().records;
    for (const torn of ['{"sequence":99,"numb', '{"sequence":99}\n']) {
      appendFileSync(path, torn);
      expect(followed.read().records).toHaveLength(length);
    }
    {
      using journal = Journal.open(folder);
      journal.append({ type: "budget", budget: { seconds: 60 } });
    }
    expect(followed.read().records).toEqual(readJournal(folder).records);
  });

  test("is read anew where another has taken its place, a longer or a shorter one", async () => {
    const { folder, path } = await searchedRun();
    const followed = new FollowedJournal(folder);
    followed.read();
    for (const generations of [9, 1]) {
      rmSync(folder, { recursive: true });
      expect(() => followed.read()).toThrow(
        new UserError(`${folder} holds no run: expected the file journal.jsonl in it`),
      );
      writeSyntheticRun(folder, { generations, population: 4, until: "search" });
      expect(followed.read().records).toEqual(readJournal(folder).records);
    }
    truncateSync(path, 0);
    expect(() => followed.read()).toThrow("record 1 is damaged");
    rmSync(folder, { recursive: true });
    writeSyntheticRun(folder, { generations: 2, population: 4, until: "search" });
    expect(followed.read().records).toEqual(readJournal(folder).records);
  });

  test("tells damage in its midst, once that is there", async () => {
    const { folder, path } = await searchedRun();
    const followed = new FollowedJournal(folder);
    const { length } = followed.read().records;
    appendFileSync(path, "x\n".repeat(2));
    expect(() => followed.read()).toThrow(`record ${length + 1} is damaged`);
    expect(() => readJournal(folder)).toThrow(`record ${length + 1} is damaged`);
  });
});
