import { readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { currentProcess } from "../../src/lock/process-identity.ts";
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

  test("falls to the next when its process has ended, unless that ran on another machine", async () => {
    const folder = await temporaryFolder();
    const leave = (name: string, holder: object): void =>
      writeFileSync(join(folder, `${name}-1-x.lock`), JSON.stringify(holder));
    leave("dead", { pid: 4_000_000, host: hostname() });
    leave("earlier", { ...currentProcess(), started: "1" });
    leave("remote", { pid: 4_000_000, host: "elsewhere" });
    writeFileSync(join(folder, "empty-1-x.lock"), "");
    const kindOf = (name: string): string => ProcessLock.tryAcquire(folder, name).constructor.name;
    expect(["dead", "earlier", "remote", "empty"].map(kindOf)).toEqual([
      "ProcessLock",
      process.platform === "linux" ? "ProcessLock" : "Object",
      "Object",
      "ProcessLock",
    ]);
  });
});
