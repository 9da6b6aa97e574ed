import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeFileAtomic } from "../../src/files/atomic-file.ts";
import { finishedName, removeAbandoned, stagedName } from "../../src/files/staged-name.ts";
import { Journal } from "../../src/journal/journal.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** A name that a process, killed since, gave to what it was writing. */
async function nameOfDead(path: string): Promise<string> {
  const code = `import(${JSON.stringify(join(import.meta.dirname, "../../src/files/staged-name.ts"))}).then(
    ({ stagedName }) => { process.stdout.write(stagedName(${JSON.stringify(path)})); setInterval(() => {}, 1000); })`;
  const child = spawn(process.execPath, ["--import", "tsx", "--eval", code], { stdio: ["ignore", "pipe", "inherit"] });
  const [name] = (await once(child.stdout, "data")) as [Buffer];
  child.kill("SIGKILL");
  await once(child, "exit");
  return name.toString();
}

describe("a name for what is being written", () => {
  test.each(["n".repeat(255), "語".repeat(85), "😀".repeat(63)])(
    "is no longer than names may be, for %s",
    async (name) => {
      const path = join(await temporaryFolder(), name);
      await writeFileAtomic(path, "whole");
      await writeFileAtomic(path, "again");
      expect(readFileSync(path, "utf8")).toBe("again");
      expect(name.startsWith(finishedName(basename(stagedName(path))))).toBe(true);
    },
  );
});

/** The name as a process of another place gives it. */
function writtenElsewhere(path: string): string {
  return path.replace(/\.[0-9a-f]{12}-/, ".0123456789ab-");
}

describe("what a killed process was writing", () => {
  test("is removed by the next who writes there, and nothing else is", async () => {
    const folder = await temporaryFolder();
    const dead = await nameOfDead(join(folder, "report.md"));
    const living = stagedName(join(folder, "report.md"));
    const others = ["report.md.tmp", "notes.4c0f0f4e-1111-4222-8333-123456789abc.tmp", `x${basename(dead)}.old`];
    const kept = [living, writtenElsewhere(dead), ...others.map((name) => join(folder, name))];
    for (const path of [dead, ...kept]) writeFileSync(path, "half");
    mkdirSync(`${dead.slice(0, -8)}abcd.tmp`);
    symlinkSync(living, `${dead.slice(0, -8)}abce.tmp`);
    await writeFileAtomic(join(folder, "other.csv"), "whole");
    const left = [
      ...kept.map((path) => basename(path)),
      "other.csv",
      ...[`abcd`, `abce`].map((end) => `${basename(dead).slice(0, -8)}${end}.tmp`),
    ];
    expect(readdirSync(folder).toSorted()).toEqual(left.toSorted());
  });

  test("is removed by the next start of its run", async () => {
    const folder = join(await temporaryFolder(), "run");
    Journal.create(folder, { experiment: {}, identity: {}, versions: {} }).close();
    const dead = await nameOfDead(join(folder, "evaluations.csv"));
    const kept = [stagedName(join(folder, "report.md")), writtenElsewhere(stagedName(join(folder, "notes.txt")))];
    const before = ["journal.jsonl", "numbers.bin", "report.md"].map((name) =>
      writtenElsewhere(stagedName(join(folder, name))),
    );
    for (const path of [dead, ...before, ...kept]) writeFileSync(path, "half");
    Journal.open(folder).close();
    const left = ["journal.jsonl", "numbers.bin", ...kept.map((path) => basename(path))];
    expect(readdirSync(folder).toSorted()).toEqual(left.toSorted());
  });

  test("tells the file it was for", async () => {
    const name = stagedName("model-00001-of-00002.safetensors");
    expect(finishedName(name)).toBe("model-00001-of-00002.safetensors");
    expect(finishedName(await nameOfDead("a.tmp"))).toBe("a.tmp");
    expect(finishedName("a.tmp")).toBe("a.tmp");
    expect(() => removeAbandoned("nowhere")).not.toThrow();
  });
});
