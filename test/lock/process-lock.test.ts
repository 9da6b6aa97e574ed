import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { currentProcess } from "../../src/files/process-identity.ts";
import { stagedName } from "../../src/files/staged-name.ts";
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
    const { pid, started } = currentProcess();
    const living = basename(stagedName("a-claim"));
    const half = living.replace(`-${pid}-${started ?? ""}.`, `-4194305-${started ?? ""}.`);
    const others = [living, "a-notes.txt", "b-1-x.lock", half.replace("a-claim", "notes")];
    for (const file of [half, ...others]) writeFileSync(join(folder, file), "");
    using lock = ProcessLock.tryAcquire(folder, "a") as ProcessLock;
    expect(lock).toBeInstanceOf(ProcessLock);
    expect(
      readdirSync(folder)
        .filter((name) => !name.startsWith(`a-${process.pid}-`))
        .toSorted(),
    ).toEqual(others.toSorted());
  });

  test("takes a name of any length that a file may have before the lock's own words", async () => {
    const folder = await temporaryFolder();
    const name = `.${"\u{1F389}".repeat(40)}.evomerge-01234567`;
    using lock = ProcessLock.tryAcquire(folder, name) as ProcessLock;
    expect(lock).toBeInstanceOf(ProcessLock);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test("falls to the next where the claim of a dead process is another user's to remove", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip("only root can start a process of another user");
    const nobody = { encoding: "utf8", uid: 65_534, gid: 65_534 } as const;
    if (spawnSync("test", ["-r", import.meta.filename], nobody).status !== 0)
      skip("no other user can read these files");
    const folder = await temporaryFolder();
    writeFileSync(join(folder, "a-1-x.lock"), JSON.stringify({ ...currentProcess(), pid: 4_194_305 }));
    chmodSync(folder, 0o1777);
    const script = `import(${JSON.stringify(join(import.meta.dirname, "../../src/lock/process-lock.ts"))}).then(
      ({ ProcessLock }) => console.log(ProcessLock.tryAcquire(${JSON.stringify(folder)}, "a").constructor.name))`;
    const { stdout } = spawnSync(process.execPath, ["--import", "tsx", "--eval", script], nobody);
    expect(stdout).toBe("ProcessLock\n");
    expect(readdirSync(folder)).toContain("a-1-x.lock");
  });

  test("leaves nothing of a claim that the file system refused, and says which file", async () => {
    const folder = await temporaryFolder();
    const script = `import(${JSON.stringify(join(import.meta.dirname, "../../src/lock/process-lock.ts"))}).then(
      ({ ProcessLock }) => ProcessLock.tryAcquire(${JSON.stringify(folder)}, "a")).catch(({ message }) => console.log(message))`;
    // No file may grow; the signal of that is ignored, so that the write fails as on a full disk.
    const line = `trap "" XFSZ; ulimit -f 0; exec "$0" --import tsx --eval "$1"`;
    const { stdout } = spawnSync("bash", ["-c", line, process.execPath, script], { encoding: "utf8" });
    expect(stdout).toMatch(/a-\d+-[-0-9a-f]+\.lock: file too large\n$/);
    expect(readdirSync(folder)).toEqual([]);
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
