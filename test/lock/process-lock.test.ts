import { readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { currentProcess } from "../../src/files/process-identity.ts";
import { ProcessLock } from "../../src/lock/process-lock.ts";
import { temporaryFolder } from "../temporary-folder.ts";

describe("ProcessLock", () => {
  test("is held once by name, and can be had again when it was let go", async () => {
    const folder = await temporaryFolder();
    const lock = ProcessLock.tryAcquire(folder, "a");
    expect(lock).toBeInstanceOf(ProcessLock);
    const [file] = readdirSync(folder);
    expect(ProcessLock.tryAcquire(folder, "a")).toEqual({ ...currentProcess(), path: join(folder, file!) });
    using other = ProcessLock.tryAcquire(folder, "b") as ProcessLock;
    expect(other).toBeInstanceOf(ProcessLock);
    (lock as ProcessLock)[Symbol.dispose]();
    using again = ProcessLock.tryAcquire(folder, "a") as ProcessLock;
    expect(again).toBeInstanceOf(ProcessLock);
  });

  test("removes what a process left that was killed while it claimed, and no other file", async () => {
    const folder = await temporaryFolder();
    const dead = JSON.stringify({ ...currentProcess(), pid: 4_194_305 });
    writeFileSync(join(folder, "a-1-x.lock.incomplete"), dead);
    writeFileSync(join(folder, "a-1-y.lock.incomplete"), dead.slice(0, 9));
    writeFileSync(join(folder, "a-notes.txt"), dead);
    writeFileSync(join(folder, "b-1-x.lock"), dead);
    using lock = ProcessLock.tryAcquire(folder, "a") as ProcessLock;
    expect(lock).toBeInstanceOf(ProcessLock);
    expect(
      readdirSync(folder)
        .filter((name) => !name.startsWith(`a-${process.pid}-`))
        .toSorted(),
    ).toEqual(["a-1-y.lock.incomplete", "a-notes.txt", "b-1-x.lock"]);
  });

  test("falls to the next when its process has ended, unless that ran on another machine", async () => {
    const folder = await temporaryFolder();
    const leave = (name: string, holder: object): void =>
      writeFileSync(join(folder, `${name}-1-x.lock`), JSON.stringify(holder));
    leave("dead", { ...currentProcess(), pid: 4_194_305 });
    leave("nowhere", { pid: 4_194_305, host: hostname() });
    leave("earlier", { ...currentProcess(), started: "1" });
    leave("remote", { pid: 4_000_000, host: "elsewhere" });
    writeFileSync(join(folder, "empty-1-x.lock"), "");
    const kindOf = (name: string): string => ProcessLock.tryAcquire(folder, name).constructor.name;
    expect(["dead", "earlier", "nowhere", "remote", "empty"].map(kindOf)).toEqual([
      "ProcessLock",
      process.platform === "linux" ? "ProcessLock" : "Object",
      process.platform === "linux" ? "Object" : "ProcessLock",
      "Object",
      // Nothing proves that whoever wrote it has ended.
      "Object",
    ]);
  });
});
