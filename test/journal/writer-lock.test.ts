import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { currentProcess, type ProcessIdentity } from "../../src/files/process-identity.ts";
import { WriterLock } from "../../src/journal/writer-lock.ts";
import { compiled } from "../compiled.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** A lock that a process holds which `unshare` put into namespaces of its own; `name` is that of the lock's file. */
async function heldUnder(unshare: readonly string[]): Promise<{ folder: string; name: string }> {
  const folder = await temporaryFolder();
  const script = compiled("test/journal/hold-lock");
  const holder = spawn("unshare", [...unshare, process.execPath, script, folder]);
  onTestFinished(() => void holder.kill("SIGKILL"));
  const [said] = (await once(holder.stdout, "data")) as [Buffer];
  expect(said.toString()).toBe("held\n");
  const [name = ""] = readdirSync(folder);
  return { folder, name };
}

/** Starts a process that tries to take the lock; what it says is "held" or "refused". */
async function contend(folder: string): Promise<{ process: ChildProcess; says: string }> {
  const child = spawn(process.execPath, [compiled("test/journal/hold-lock"), folder], {
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

/** Processes that may be running although this one sees none of their number. */
function unseen(living: ProcessIdentity): ProcessIdentity[] {
  const { machine: _, namespace: __, ...known } = { ...living, pid: 2 ** 22 + 1 };
  return [
    { ...known, namespace: "pid:[1]" },
    known,
    { ...known, boot: "of another machine with this name" },
    { ...known, machine: "another", boot: "earlier" },
  ];
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
    ...(living.boot === undefined || living.machine === undefined || living.namespace !== "pid:[4026531836]"
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
      ...(living.boot === undefined ? [] : unseen(living)),
    ];
    for (const holder of others) {
      const folder = await temporaryFolder();
      leaveLock(folder, holder);
      expect(() => WriterLock.acquire(folder)).toThrow(`process ${holder.pid} on ${holder.host}`);
    }
  });

  test("is left alone when its claim cannot be read, with a sentence that says what to delete", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "writer-1-x.lock");
    const claims: [claim: () => void, why: string][] = [
      [() => writeFileSync(path, ""), "names none"],
      [() => writeFileSync(path, "{}"), "names none"],
      [() => writeFileSync(path, JSON.stringify({ ...living, pid: -1 })), "names none"],
      [() => mkdirSync(path), "names none"],
      [() => symlinkSync(path, path), "cannot be read (too many symbolic links encountered)"],
      ...(process.platform === "win32" || process.getuid?.() === 0
        ? []
        : [
            [() => writeFileSync(path, "{}", { mode: 0 }), "cannot be read (permission denied)"] as [
              () => void,
              string,
            ],
          ]),
    ];
    for (const [claim, why] of claims) {
      claim();
      expect(() => WriterLock.acquire(folder)).toThrow(
        new UserError(
          `${folder} is in use by a process that cannot be told, since ${path} ${why}; if evomerge does not run there, delete that file`,
        ),
      );
      expect(readdirSync(folder)).toEqual(["writer-1-x.lock"]);
      rmSync(path, { recursive: true });
    }
    using _ = WriterLock.acquire(folder);
  });

  test("is not taken from a living process of another PID namespace", async ({ skip }) => {
    const unshare = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"];
    if (spawnSync("unshare", [...unshare, "true"]).status !== 0) skip("unshare makes no PID namespace here");
    const { folder, name } = await heldUnder(unshare);
    const { pid } = JSON.parse(readFileSync(join(folder, name), "utf8")) as ProcessIdentity;
    // Few processes live there, so the number is another's here, or nobody's.
    expect(pid).toBeLessThan(100);
    expect(() => WriterLock.acquire(folder)).toThrow(
      `is in use by process ${pid} on ${hostname()}, which cannot be seen from here; if it has ended, delete ${join(folder, name)}`,
    );
    expect(readdirSync(folder)).toEqual([name]);
  });

  test("is not taken from a living process of another time namespace", async ({ skip }) => {
    const unshare = ["--user", "--map-root-user", "--time", "--boottime", "1000", "--fork", "--kill-child"];
    if (spawnSync("unshare", [...unshare, "true"]).status !== 0) skip("unshare makes no time namespace here");
    const { folder, name } = await heldUnder(unshare);
    expect(() => WriterLock.acquire(folder)).toThrow("which cannot be seen from here; if it has ended, delete");
    expect(readdirSync(folder)).toEqual([name]);
  });

  test("names the process that holds it", async () => {
    const folder = await temporaryFolder();
    using _ = WriterLock.acquire(folder);
    const [name = ""] = readdirSync(folder);
    expect(JSON.parse(readFileSync(join(folder, name), "utf8"))).toEqual(currentProcess());
    expect(name).toContain(String(process.pid));
  });
});
