import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, inject, test, vi } from "vitest";
import { childProgram, childPrograms } from "../../src/files/child-program.ts";
import { root, sourceFiles } from "./source-files.ts";

/** The built program is few files, none of them where its source is: these two know where they all are. */
const KNOWING = ["files/child-program.ts", "files/own-package.ts"];

const files = sourceFiles("src");
afterEach(() => vi.unstubAllEnvs());

describe("programs that are started as processes or threads", () => {
  test("are in the table that the build reads", () => {
    const programs = files.map(({ path }) => path).filter((path) => /-(process|worker)\.[jt]s$/.test(path));
    expect(programs.toSorted()).toEqual(Object.values(childPrograms).toSorted());
    const starting = files.filter(({ text }) => /\bfork\(|\bnew Worker\((?!\w+, \{ eval: true)/.test(text));
    expect(starting.length).toBeGreaterThan(0);
    const othersTable = starting.filter(({ text }) => !/\bchildProgram\((?:"\w+"|name)\)/.test(text));
    expect(othersTable.map(({ path }) => path)).toEqual([]);
  });

  test("are started where this process has them", () => {
    vi.stubEnv("EVOMERGE_BUILT", undefined);
    const names = Object.keys(childPrograms) as (keyof typeof childPrograms)[];
    const paths = names.map((name) => childProgram(name).path);
    expect(paths).toEqual(Object.values(childPrograms).map((file) => join(root, "src", file)));
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });

  test("are started as they were built where the environment names that, as in all other tests", () => {
    const { path, execArgv } = childProgram("tokenizers");
    expect([path, execArgv]).toEqual([join(inject("compiled"), "dist", "model/tokenizer/tokenizer-process.js"), []]);
  });

  test("start as threads, too, where this process is TypeScript", async () => {
    vi.stubEnv("EVOMERGE_BUILT", undefined);
    const { path, execArgv } = childProgram("merging");
    const worker = new Worker(path, { execArgv });
    expect(await once(worker, "message")).toEqual(["ready"]);
    await worker.terminate();
  });

  test("start as processes where this one is TypeScript", async () => {
    vi.stubEnv("EVOMERGE_BUILT", undefined);
    const { path, execArgv } = childProgram("parquet");
    const child = fork(path, { execArgv });
    expect(await once(child, "message")).toContain("ready");
    child.kill("SIGKILL");
  });
});

test("nothing else is looked for beside the file of a module", () => {
  // Packages are found from any place in ours.
  const places = files.map(({ path, text }) => ({ path, text: text.replaceAll("createRequire(import.meta.url)", "") }));
  const looking = places.filter(({ text }) =>
    /\bimport\.meta\.(dirname|filename)\b|new URL\([^)]*import\.meta/.test(text),
  );
  expect(looking.map(({ path }) => path)).toEqual(KNOWING);
});
