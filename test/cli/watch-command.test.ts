import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { writeSyntheticRun } from "../report/synthetic-run.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";
import { evomerge } from "./evomerge.ts";

const folder = mkdtempSync(join(tmpdir(), "evomerge-"));
writeSyntheticRun(join(folder, "run"), { generations: 2, population: 4 });
afterAll(() => rm(folder, { recursive: true, force: true }));

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+\/[\w-]+\//;

/** What of a command's course is waited for, on standard output or standard error. */
async function addressIn(stream: NodeJS.ReadableStream): Promise<string> {
  let told = "";
  for (;;) {
    const [chunk] = (await once(stream, "data")) as [Buffer];
    told += chunk.toString();
    const [address] = ADDRESS.exec(told) ?? [];
    if (address !== undefined) return address;
  }
}

describe("evomerge watch", () => {
  test("prints where it shows the run, and ends when it is interrupted", async () => {
    let page = "";
    const env = { EVOMERGE_WATCH_TOKEN: "a-token-that-stays-the-same" };
    const { code, stdout, stderr } = await evomerge(folder, ["watch", "run"], {
      env,
      watch: (child) =>
        void addressIn(child.stdout).then(async (address) => {
          page = await (await fetch(address)).text();
          child.kill("SIGINT");
        }),
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/a-token-that-stays-the-same\/\n$/);
    expect(page).toContain("run, winner: evolved merge");
    expect(page).toContain("export run</pre>");
  });

  test.each([
    [["watch", "none"], {}, "evomerge: none holds no run: expected the file journal.jsonl in it\n"],
    [
      ["watch", "run"],
      { EVOMERGE_WATCH_TOKEN: "short" },
      "evomerge: EVOMERGE_WATCH_TOKEN: expected 22 to 100 letters, digits, - and _, as `openssl rand -hex 16` writes them\n",
    ],
  ])("refuses %j with %j", async (args, env, stderr) => {
    expect(await evomerge(folder, args, { env })).toEqual({ code: 1, stdout: "", stderr });
  });

  test.each([["0"], ["65536"], ["1e3"]])("takes no port %s", async (port) => {
    const { code, stderr } = await evomerge(folder, ["watch", "run", "--port", port]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("expected a port: a whole number from 1 to 65535")]);
  });
});

describe("run --watch", () => {
  test("shows the run meanwhile, in a process that ends with it", async () => {
    await writeTinyExperiment(folder);
    let events: Promise<string> | undefined;
    let page = "";
    const { code, stderr } = await evomerge(folder, ["run", "tiny.yaml", "--out", "tiny", "--watch", "--json"], {
      watch: (child) =>
        void addressIn(child.stderr).then(async (address) => {
          events = fetch(`${address}events`).then((response) => response.text());
          page = await (await fetch(address)).text();
        }),
    });
    const [address = ""] = ADDRESS.exec(stderr) ?? [];
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining(`note: the run is shown at ${address}\n`),
    });
    expect(page).toContain("<h1>tiny");
    const told = await events!;
    expect(told).toMatch(/^data: \[\["top",/);
    expect(told).toMatch(/\n\nevent: end\ndata: \n\n$/);
    const states = told.split("\n\n").filter((message) => message.startsWith("data:"));
    expect(states.at(-1)).toContain('"verdict"');
    await expect(fetch(address)).rejects.toThrow("fetch failed");
  });

  test("leaves no process behind when the run is killed", async () => {
    await writeTinyExperiment(folder, { file: { budget: { evaluations: 4000 } } });
    let address = "";
    await evomerge(folder, ["run", "tiny.yaml", "--out", "killed", "--watch"], {
      watch: (child) =>
        void addressIn(child.stderr).then(async (found) => {
          address = found;
          await fetch(found);
          child.kill("SIGKILL");
        }),
    });
    await expect
      .poll(
        async () =>
          fetch(address).then(
            () => "there",
            () => "gone",
          ),
        { timeout: 10_000 },
      )
      .toBe("gone");
  });
});
