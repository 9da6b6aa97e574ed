import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { currentProcess, type ProcessIdentity } from "../../src/lock/process-identity.ts";
import { WriterLock } from "../../src/journal/writer-lock.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** Starts a process that tries to take the lock; what it says is "held" or "refused". */
async function contend(folder: string): Promise<{ process: ChildProcess; says: string }> {
  const child = spawn(process.execPath, ["--import", "tsx", join(import.meta.dirname, "hold-lock.ts"), folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [output] = (await once(child.stdout, "data")) as [Buffer];
  return { process: child, says: output.toString().trim() };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

function leaveLock(folder: string, holder: object): void {
  writeFileSync(join(folder, `writer-1-${Math.random()}.lock`), JSON.stringify(holder));
}

describe("WriterLock", () => {
  test("is held by one process at a time, and falls to the next when that one is killed", async () => {
    const folder = await temporaryFolder();
    const first = await contend(folder);
    expect(first.says).toBe("held");
    expect(() => WriterLock.acquire(folder)).toThrow(
      new UserError(`${folder} is in use by process ${first.process.pid} on ${hostname()}; wait for it or stop it`),
    );
    await kill(first.process);
    const lock = WriterLock.acquire(folder);
    expect((await contend(folder)).says).toBe("refused");
    lock[Symbol.dispose]();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("is never held twice when two processes come at once", async () => {
    const folder = await temporaryFolder();
    leaveLock(folder, { ...currentProcess(), started: "1" });
    const answers = await Promise.all(Array.from({ length: 2 }, async () => (await contend(folder)).says));
    expect(answers.filter((says) => says === "held").length).toBeLessThanOrEqual(1);
    expect(answers.every((says) => says === "held" || says === "refused")).toBe(true);
  });

  test("is not given to the same process twice", async () => {
    const folder = await temporaryFolder();
    using _ = WriterLock.acquire(folder);
    expect(() => WriterLock.acquire(folder)).toThrow(UserError);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  const living = currentProcess();
  const dead: [string, object][] = [
    ["a process that has ended", { ...living, pid: 2 ** 22 + 1 }],
    ["a file cut short by a loss of power", {}],
    ...(living.boot === undefined
      ? []
      : [["a machine that has started anew since", { ...living, boot: "earlier" }] as [string, object]]),
    ...(living.started === undefined
      ? []
      : [["a process whose number was given to another", { ...living, started: "1" }] as [string, object]]),
  ];

  test.each(dead)("is taken over from %s", async (...[, holder]) => {
    const folder = await temporaryFolder();
    leaveLock(folder, holder);
    using _ = WriterLock.acquire(folder);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test("is left alone where this machine cannot tell: on another host, or without /proc", async () => {
    const others: ProcessIdentity[] = [
      { ...living, host: "elsewhere", pid: 2 ** 22 + 1 },
      { pid: living.pid, host: living.host, ...(living.boot === undefined ? {} : { boot: living.boot }) },
    ];
    for (const holder of others) {
      const folder = await temporaryFolder();
      leaveLock(folder, holder);
      expect(() => WriterLock.acquire(folder)).toThrow(`process ${holder.pid} on ${holder.host}`);
    }
  });

  test("names the process that holds it", async () => {
    const folder = await temporaryFolder();
    using _ = WriterLock.acquire(folder);
    const [name = ""] = readdirSync(folder);
    expect(JSON.parse(readFileSync(join(folder, name), "utf8"))).toEqual(currentProcess());
    expect(name).toContain(String(process.pid));
  });
});
