import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ExportPlace } from "../../src/export/export-place.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { faultsOf, writeExport } from "./exporting.ts";

/** What takes long enough to be read that something can happen meanwhile. */
const LONG = 2 ** 29;

interface Published {
  readonly target: string;
  readonly failure?: unknown;
  readonly notices: readonly string[];
  /** Names beside the target. */
  readonly beside: readonly string[];
}

/** Exports to where an export was, and does something as soon as that has been set aside and is being compared. */
async function publishWhile(act: (target: string, earlier: string, stop: () => void) => void): Promise<Published> {
  const target = join(await temporaryFolder(), "model");
  await writeExport(target, "the earlier card", LONG);
  const notices: string[] = [];
  const interruption = new AbortController();
  let failure: unknown;
  {
    await using place = await ExportPlace.take(target, {
      signal: interruption.signal,
      onNotice: (text) => void notices.push(text),
    });
    await writeExport(place.staged, "the new card", 1);
    const earlier = join(dirname(place.staged), "earlier");
    const published = place.publish().catch((error: unknown) => (failure = error));
    while (!existsSync(earlier)) await setImmediate();
    act(target, earlier, () => interruption.abort(new Error("enough")));
    await published;
  }
  const beside = readdirSync(dirname(target)).filter((name) => name !== basename(target));
  return { target, notices, beside, ...(failure !== undefined && { failure }) };
}

describe("while an export takes the place of another", () => {
  test("an interruption comes too late, and what is done to the model then is not undone", async () => {
    const { target, beside, failure } = await publishWhile((_target, _earlier, stop) => stop());
    expect(failure).toBeUndefined();
    expect(readFileSync(join(target, "README.md"), "utf8")).toBe("the new card");
    expect(faultsOf(target)).toEqual([]);
    expect(beside).toEqual([]);
  });

  test.each(["config.json", "README.md", "thesis.txt"])("a folder with a %s that comes there stays", async (name) => {
    const { target, beside, failure, notices } = await publishWhile((path) => {
      if (existsSync(path)) renameSync(path, `${path}-moved`);
      mkdirSync(path);
      writeFileSync(join(path, name), "mine");
    });
    expect(readFileSync(join(target, name), "utf8")).toBe("mine");
    expect(readdirSync(target)).toEqual([name]);
    const kept = beside.map((found) => join(dirname(target), found));
    const cards = kept.map((folder) => readFileSync(join(folder, "README.md"), "utf8"));
    expect(cards.toSorted()).toEqual(["the earlier card", "the new card"]);
    for (const folder of kept)
      expect([basename(folder), faultsOf(folder)]).toEqual([expect.stringMatching(/^model\.kept-[0-9a-f-]{36}$/), []]);
    const [earlier, written] = ["the earlier card", "the new card"].map((card) => kept[cards.indexOf(card)]!);
    expect(await refusal(Promise.reject(failure as Error))).toBe(
      `cannot write ${target}: directory not empty; the finished model is in ${written}, move it yourself`,
    );
    expect(notices).toEqual([`${earlier} is what was at ${target}, where there is something else now`]);
  });

  test("what is edited, by whoever has its folder open still, is given back", async () => {
    const { target, beside, failure } = await publishWhile((_, earlier) => {
      writeFileSync(join(earlier, "model.safetensors"), "mine");
    });
    expect(await refusal(Promise.reject(failure as Error))).toContain("was changed since the export");
    expect(readFileSync(join(target, "model.safetensors"), "utf8")).toBe("mine");
    expect(beside).toEqual([]);
  });
});
