import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ExportPlace } from "../../src/export/export-place.ts";
import { openTarget } from "../../src/export/target-folder.ts";
import { mountOn } from "../mounted.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { faultsOf, writeExport } from "./exporting.ts";

describe("the place of an export", () => {
  test("does not wait for what another user's killed export left where this one may not look", async ({ skip }) => {
    const nobody = { uid: 65534, gid: 65534 };
    const script = join(import.meta.dirname, "take-place.ts");
    if (spawnSync("test", ["-r", script], nobody).status !== 0) skip("needs the right to be a user who may read this");
    const folder = await temporaryFolder();
    chmodSync(folder, 0o1777);
    const { prefix } = await openTarget(join(folder, "model"));
    const [closed, readable] = ["0", "1"].map((digit) =>
      join(folder, `${prefix}-${digit.repeat(8)}-0000-0000-0000-000000000000`),
    );
    mkdirSync(closed!, { mode: 0o700 });
    mkdirSync(readable!);
    writeFileSync(join(readable!, "README"), "an export's");
    const child = spawn(process.execPath, ["--import", "tsx", script, join(folder, "model")], {
      stdio: ["ignore", "pipe", "inherit"],
      ...nobody,
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [line] = (await Promise.race([once(child.stdout, "data"), once(child, "exit")])) as [unknown];
    expect(String(line)).toMatch(/\/new\n$/);
    expect(readdirSync(folder)).toHaveLength(4);
  });

  test("is refused before anything is merged where a file system is mounted on it", async ({ skip }) => {
    const target = join(await temporaryFolder(), "model");
    mkdirSync(target);
    mountOn(target, skip);
    await expect(ExportPlace.take(target)).rejects.toThrow(
      `cannot write ${target}: a file system is mounted there, whose place no folder can take; export to a folder in it`,
    );
    expect(readdirSync(dirname(target))).toEqual(["model"]);
    await using place = await ExportPlace.take(join(target, "inside"));
    expect(readdirSync(place.staged)).toEqual([]);
  });

  test("that cannot be taken in the end leaves the model that is finished beside it", async ({ skip }) => {
    const target = join(await temporaryFolder(), "model");
    mkdirSync(target);
    // Not told by the file system's number.
    mountOn(target, skip, ["--bind", target]);
    const failure = await (async () => {
      await using place = await ExportPlace.take(target);
      await writeExport(place.staged, "a card", 1);
      return await refusal(place.publish());
    })();
    const kept = join(
      dirname(target),
      readdirSync(dirname(target)).find((name) => name !== "model")!,
    );
    expect(failure).toBe(
      `cannot write ${target}: resource busy or locked; the finished model is in ${kept}, move it yourself`,
    );
    expect(faultsOf(kept)).toEqual([]);
    expect(readdirSync(dirname(target))).toHaveLength(2);
  });

  test.each(["missing/../loop", "missing/../../elsewhere"])(
    "is not sought for ever behind a link to %s",
    async (text) => {
      const folder = await temporaryFolder();
      mkdirSync(join(folder, "a"));
      await symlink(text, join(folder, "a", "loop"));
      for (const to of [join(folder, "a", "loop"), join(folder, "a", "loop", "model")]) {
        await expect(ExportPlace.take(to)).rejects.toThrow(
          `cannot write ${to}: a link leads to ${join(folder, "a")}/missing/.., but ${join(folder, "a", "missing")} is not there; export to another folder`,
        );
      }
      expect(readdirSync(folder)).toEqual(["a"]);
    },
  );

  test("is above what a folder links to where a link goes up from there", async () => {
    const folder = await temporaryFolder();
    mkdirSync(join(folder, "disk", "models"), { recursive: true });
    await symlink("disk/models", join(folder, "models"));
    await symlink("models/../best", join(folder, "link"));
    await using place = await ExportPlace.take(join(folder, "link"));
    expect(place.path).toBe(join(folder, "disk", "best"));
  });

  test("behind links in a circle is refused", async () => {
    const folder = await temporaryFolder();
    await symlink("two", join(folder, "one"));
    await symlink("one", join(folder, "two"));
    await expect(ExportPlace.take(join(folder, "one"))).rejects.toThrow(
      `cannot write ${join(folder, "one")}: too many symbolic links encountered`,
    );
  });
});
