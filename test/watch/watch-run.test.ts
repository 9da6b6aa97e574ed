import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Journal } from "../../src/journal/journal.ts";
import { watchRun, type WatchedRun, type WatchOptions } from "../../src/watch/watch-run.ts";
import { writeSyntheticRun } from "../report/synthetic-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";

type Versions = readonly (readonly [id: string, version: string])[];

async function watch(folder: string, options: WatchOptions = {}): Promise<WatchedRun> {
  const watched = await watchRun(folder, options);
  onTestFinished(() => watched[Symbol.asyncDispose]());
  return watched;
}

/** What a browser is told, message by message. */
async function listen({ address }: WatchedRun): Promise<() => Promise<string>> {
  const { body } = await fetch(`${address}events`);
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  onTestFinished(() => reader.cancel().catch(() => {}));
  let received = "";
  return async () => {
    for (;;) {
      const end = received.indexOf("\n\n");
      if (end >= 0) {
        const message = received.slice(0, end);
        received = received.slice(end + 2);
        if (message !== ":") return message;
      } else {
        const { value, done } = await reader.read();
        if (done) return "closed";
        received += value;
      }
    }
  };
}

function versionsIn(message: string): Readonly<Record<string, string>> {
  return Object.fromEntries(JSON.parse(message.replace("data: ", "")) as Versions);
}

async function run(until: "baselines" | "search" | "verdict"): Promise<string> {
  const folder = join(await temporaryFolder(), "run");
  writeSyntheticRun(folder, { generations: 3, population: 4, until });
  return folder;
}

describe("a run that is watched", () => {
  test("has a page, whose parts are told as they change", async () => {
    const folder = await run("search");
    const watched = await watch(folder);
    const page = await (await fetch(watched.address)).text();
    const next = await listen(watched);
    const versions = versionsIn(await next());
    expect(Object.keys(versions)).toEqual(["top", "verdict", "search", "coefficients", "time", "next"]);
    for (const [id, version] of Object.entries(versions))
      expect(page).toContain(`<div data-part="${id}" data-version="${version}">`);
    expect(page).toContain("Interrupted, and can be resumed.");
    {
      using journal = Journal.open(folder);
      journal.append({ type: "budget", budget: { seconds: 60 } });
      const top = await (await next(), fetch(`${watched.address}parts/top`));
      expect(await top.text()).toContain(`Going on, as process ${process.pid} on `);
    }
    const after = versionsIn(await next());
    // No plot has changed by a budget.
    expect(after["search"]).toBe(versions["search"]);
    expect(after["top"]).not.toBe(versions["top"]);
  });

  test("is read, and nothing is written or locked", async () => {
    const folder = await run("verdict");
    const files = (): unknown => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "hex")]);
    const before = files();
    const watched = await watch(folder);
    await (await fetch(watched.address)).text();
    await (
      await listen(watched)
    )();
    expect(files()).toEqual(before);
    using journal = Journal.open(folder);
    expect(journal.records.length).toBeGreaterThan(3);
  });

  test("may not be there yet, may go away and come back", async () => {
    const folder = join(await temporaryFolder(), "run<b>");
    const watched = await watch(folder);
    expect(await (await fetch(watched.address)).text()).toContain("Nothing to show yet: ");
    const next = await listen(watched);
    expect(Object.keys(versionsIn(await next()))).toEqual(["top"]);
    mkdirSync(folder);
    writeSyntheticRun(folder, { generations: 2, population: 4, until: "search" });
    expect(Object.keys(versionsIn(await next()))).toContain("search");
    rmSync(folder, { recursive: true });
    expect(Object.keys(versionsIn(await next()))).toContain("search");
    const gone = await (await fetch(`${watched.address}parts/top`)).text();
    expect(gone).toContain("What is below is as it was: ");
    expect(gone).toContain("run&lt;b&gt; holds no run");
  });

  test("tells browsers its last state and its end", async () => {
    const folder = await run("baselines");
    const watched = await watchRun(folder);
    const next = await listen(watched);
    await next();
    rmSync(folder, { recursive: true });
    writeSyntheticRun(folder, { generations: 2, population: 4, until: "search" });
    await watched[Symbol.asyncDispose]();
    expect(Object.keys(versionsIn(await next()))).toContain("search");
    expect(await next()).toBe("event: end\ndata: ");
    expect(await next()).toBe("closed");
    await expect(fetch(watched.address)).rejects.toThrow("fetch failed");
  });

  test("has another token each time, of 128 bits", async () => {
    const folder = await run("baselines");
    const tokens = await Promise.all([1, 2].map(async () => new URL((await watch(folder)).address).pathname));
    expect(tokens[0]).toMatch(/^\/[0-9a-f]{32}\/$/);
    expect(tokens[0]).not.toBe(tokens[1]);
  });
});
