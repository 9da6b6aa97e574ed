import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { ExportPlace } from "../../src/export/export-place.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { stagedName } from "../../src/files/staged-name.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { compiled } from "../compiled.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";
import { mountOn } from "../mounted.ts";
import { contentsBelow } from "../contents-below.ts";
import { faultsOf, readLinkOrFile } from "./exporting.ts";

let models: string;
/** A run's export, which tests copy. */
let exported: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  const run = join(models, "run");
  await launchRun(await tinyExperiment(models, { file: { budget: { evaluations: 5 } } }), run);
  ({ model: exported } = await exportRun(run));
});
afterAll(() => rm(models, { recursive: true, force: true }));

interface Leftover {
  readonly target: string;
  /** What the dead process left beside it: the staged model is `new` in it, an export that was set aside `earlier`. */
  readonly work: string;
}

/** Takes the place of an export in a process of its own, which is killed. */
async function killedExport(name = "model"): Promise<Leftover> {
  const target = join(await temporaryFolder(), name);
  const script = compiled("test/export/take-place");
  const child = spawn(process.execPath, [script, target], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  child.kill("SIGKILL");
  await once(child, "exit");
  return { target, work: dirname(line.toString().trim()) };
}

/** Takes the place of the next export, which is given up; returns what a person was told. */
async function takePlace(target: string): Promise<readonly string[]> {
  const notices: string[] = [];
  await using _ = await ExportPlace.take(target, { onNotice: (text) => void notices.push(text) });
  return notices;
}

describe("what a killed export left", () => {
  test("is swept: a model that was being written", async () => {
    const { target, work } = await killedExport();
    for (const name of ["config.json", "LICENSE", "model-00001-of-00002.safetensors", "recipe.json"]) {
      writeFileSync(join(work, "new", name), "half a f");
    }
    writeFileSync(stagedName(join(work, "new", "model.safetensors")), "half a f");
    expect(await takePlace(target)).toEqual([]);
    expect(readdirSync(dirname(target))).toEqual([]);
  });

  test("is brought back: an export that was set aside", async () => {
    const { target, work } = await killedExport();
    cpSync(exported, join(work, "earlier"), { recursive: true });
    expect(await takePlace(target)).toEqual([]);
    expect(readdirSync(dirname(target))).toEqual(["model"]);
    expect(faultsOf(target)).toEqual([]);
  });

  test("is swept: an export whose place another has taken, in part removed already", async () => {
    const { target, work } = await killedExport();
    cpSync(exported, join(work, "earlier"), { recursive: true });
    cpSync(exported, target, { recursive: true });
    rmSync(join(work, "earlier", "model.safetensors"));
    expect(await takePlace(target)).toEqual([]);
    expect(readdirSync(dirname(target))).toEqual(["model"]);
    expect(faultsOf(target)).toEqual([]);
  });

  test("is kept under a name that is seen, and told: an export that was changed while another took its place", async () => {
    const { target, work } = await killedExport();
    cpSync(exported, join(work, "earlier"), { recursive: true });
    cpSync(exported, target, { recursive: true });
    writeFileSync(join(work, "earlier", "notes.txt"), "mine");
    const before = contentsBelow(join(work, "earlier"));
    const notices = await takePlace(target);
    const kept = readdirSync(dirname(target)).find((name) => name !== "model")!;
    expect(kept).toMatch(/^model\.kept-[0-9a-f-]{36}$/);
    expect(notices).toEqual([
      `${join(dirname(target), kept)} is an earlier export that was changed while another took its place`,
    ]);
    expect(contentsBelow(join(dirname(target), kept))).toEqual(before);
    expect(readdirSync(dirname(target))).toHaveLength(2);
  });

  test.each(["file", "empty folder"])("is not put over a %s that has come there meanwhile", async (kind) => {
    const { target, work } = await killedExport();
    cpSync(exported, join(work, "earlier"), { recursive: true });
    writeFileSync(join(work, "new", "SHA256SUMS"), "finished");
    if (kind === "file") {
      writeFileSync(target, "mine");
      await expect(takePlace(target)).rejects.toThrow(`cannot write ${target}: not a directory`);
      expect(readFileSync(target, "utf8")).toBe("mine");
      expect(faultsOf(join(work, "earlier"))).toEqual([]);
    } else {
      mkdirSync(target);
      const notices = await takePlace(target);
      const kept = join(
        dirname(target),
        readdirSync(dirname(target)).find((name) => name !== "model")!,
      );
      expect(notices).toEqual([`${kept} is what was at ${target}, where there is something else now`]);
      expect(readdirSync(target)).toEqual([]);
      expect(faultsOf(kept)).toEqual([]);
      expect(readdirSync(dirname(target))).toHaveLength(2);
    }
  });

  test.each([
    ["a file", (path: string) => writeFileSync(path, "mine")],
    ["a link", (path: string) => symlinkSync("mine", path)],
  ])("replaces nothing, and is seen, where it was %s", async (_, put) => {
    const { target, work } = await killedExport();
    put(join(work, "earlier"));
    writeFileSync(target, "a newer one");
    await expect(takePlace(target)).rejects.toThrow(`cannot write ${target}: not a directory`);
    expect(readFileSync(target, "utf8")).toBe("a newer one");
    rmSync(target);
    cpSync(exported, target, { recursive: true });
    expect(await takePlace(target)).toEqual([
      expect.stringMatching(/\/model\.kept-[0-9a-f-]{36} is an earlier export/),
    ]);
    expect(readdirSync(dirname(target))).toHaveLength(2);
    put(join(dirname(target), "the same"));
    const kept = readdirSync(dirname(target)).find((name) => name.includes(".kept-"))!;
    expect(readLinkOrFile(join(dirname(target), kept))).toBe(readLinkOrFile(join(dirname(target), "the same")));
  });

  test("is kept under a name that may be, whatever the length of the target's", async () => {
    const { target, work } = await killedExport("m".repeat(255));
    cpSync(exported, target, { recursive: true });
    writeFileSync(join(work, "earlier"), "mine");
    expect(await takePlace(target)).toEqual([
      expect.stringMatching(/\/m{40}\.kept-[0-9a-f-]{36} is an earlier export/),
    ]);
    expect(readdirSync(dirname(target))).toHaveLength(2);
  });

  test("is told of when it cannot be put away", async ({ skip }) => {
    const { target, work } = await killedExport();
    cpSync(exported, target, { recursive: true });
    mkdirSync(join(work, "earlier"));
    mountOn(join(work, "earlier"), skip);
    writeFileSync(join(work, "earlier", "thesis.txt"), "mine");
    expect(await takePlace(target)).toEqual([
      expect.stringMatching(
        /^cannot tidy up .*: resource busy or locked; the next export to .*\/model will try again$/,
      ),
    ]);
    expect(readFileSync(join(work, "earlier", "thesis.txt"), "utf8")).toBe("mine");
  });

  test("keeps files that no export writes, wherever they are", async () => {
    const { target, work } = await killedExport();
    writeFileSync(join(work, "thesis.txt"), "mine");
    writeFileSync(join(work, "new", "thesis.txt"), "mine");
    mkdirSync(join(work, "new", "LICENSE"));
    await takePlace(target);
    await takePlace(target);
    expect(Object.keys(contentsBelow(work)).toSorted()).toEqual(["new/thesis.txt", "thesis.txt"]);
    expect(existsSync(join(work, "new", "LICENSE"))).toBe(true);
  });

  test("stays where a person has put something into its place", async () => {
    const { target, work } = await killedExport();
    cpSync(exported, join(work, "earlier"), { recursive: true });
    mkdirSync(target);
    writeFileSync(join(target, "thesis.txt"), "mine");
    await expect(takePlace(target)).rejects.toThrow(`${target}: holds thesis.txt, which no export wrote`);
    expect(faultsOf(join(work, "earlier"))).toEqual([]);
    renameSync(target, `${target}-of-mine`);
    await takePlace(target);
    expect(faultsOf(target)).toEqual([]);
    expect(readdirSync(dirname(target)).toSorted()).toEqual(["model", "model-of-mine"]);
  });

  test("is nobody's where no export has marked it", async () => {
    const { target, work } = await killedExport();
    rmSync(join(work, "README"));
    writeFileSync(join(work, "new", "config.json"), "{}");
    const before = contentsBelow(work);
    await takePlace(target);
    expect(contentsBelow(work)).toEqual(before);
  });

  test("is swept before it was marked", async () => {
    const { target, work } = await killedExport();
    for (const name of ["README", "new"]) rmSync(join(work, name), { recursive: true });
    mkdirSync(work.replace(/.{12}$/, "0123456789ab"));
    await takePlace(target);
    expect(readdirSync(dirname(target))).toEqual([]);
  });
});

describe("the place of an export", () => {
  test("is had by one at a time, whichever way its path is written, and let go again", async () => {
    const folder = await temporaryFolder();
    mkdirSync(join(folder, "out"));
    await symlink(join(folder, "out"), join(folder, "alias"));
    await symlink("model", join(folder, "out", "link"));
    const target = join(folder, "out", "model");
    {
      await using _ = await ExportPlace.take(target);
      for (const spelling of [target, `${target}/`, join(folder, "alias", "model"), join(folder, "out", "link")]) {
        await expect(ExportPlace.take(spelling)).rejects.toThrow(
          /^.* is being exported to by process \d+ on .*; wait for it or stop it$/,
        );
      }
      await using other = await ExportPlace.take(join(folder, "out", "model-2"));
      expect(readdirSync(other.staged)).toEqual([]);
    }
    await using again = await ExportPlace.take(target);
    expect(readdirSync(again.staged)).toEqual([]);
  });

  test("behind a link is where the link leads to", async () => {
    const folder = await temporaryFolder();
    mkdirSync(join(folder, "disk"));
    await symlink("disk/model", join(folder, "link"));
    for (const _ of ["a link that leads nowhere yet", "a link to an export"]) {
      await using place = await ExportPlace.take(join(folder, "link"));
      cpSync(exported, place.staged, { recursive: true });
      await place.publish();
    }
    expect(readdirSync(folder).toSorted()).toEqual(["disk", "link"]);
    expect(faultsOf(join(folder, "disk", "model"))).toEqual([]);
    expect(readdirSync(join(folder, "disk"))).toEqual(["model"]);
  });

  test("may be an empty folder, and not below a file", async () => {
    const folder = await temporaryFolder();
    mkdirSync(join(folder, "model"));
    writeFileSync(join(folder, "file"), "");
    {
      await using place = await ExportPlace.take(join(folder, "model"));
      cpSync(exported, place.staged, { recursive: true });
      await place.publish();
    }
    expect(faultsOf(join(folder, "model"))).toEqual([]);
    await expect(ExportPlace.take(join(folder, "file", "model"))).rejects.toThrow(
      `cannot write ${join(folder, "file", "model")}: not a directory`,
    );
    expect(readdirSync(folder).toSorted()).toEqual(["file", "model"]);
  });

  test.each([
    ["a file", (target: string) => writeFileSync(target, "mine")],
    ["a folder", (target: string) => cpSync(import.meta.dirname, target, { recursive: true })],
    ["a link", (target: string) => symlinkSync(import.meta.dirname, target)],
  ])("is given back when %s of somebody has come there meanwhile", async (_, put) => {
    const folder = await temporaryFolder();
    const target = join(folder, "model");
    {
      await using place = await ExportPlace.take(target);
      cpSync(exported, place.staged, { recursive: true });
      put(target);
      await expect(place.publish()).rejects.toBeInstanceOf(UserError);
    }
    put(join(folder, "the same"));
    const [found, expected] = ["model", "the same"].map((name) =>
      lstatSync(join(folder, name)).isDirectory()
        ? contentsBelow(join(folder, name))
        : readLinkOrFile(join(folder, name)),
    );
    expect(found).toEqual(expected);
    expect(readdirSync(folder).toSorted()).toEqual(["model", "the same"]);
  });
});
