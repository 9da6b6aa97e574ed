import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportRun } from "../../src/export/export-run.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";
import { contentsBelow } from "../contents-below.ts";

let models: string;
/** A finished run, which tests only read. */
let finished: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  finished = join(models, "run");
  await launchRun(await tinyExperiment(models, { file: { budget: { evaluations: 5 } } }), finished);
});
afterAll(() => rm(models, { recursive: true, force: true }));

describe("an export to where one was", () => {
  test("refuses an earlier export that was changed since, before anything is merged, and leaves it alone", async () => {
    const to = join(await temporaryFolder(), "model");
    await exportRun(finished, { to });
    writeFileSync(join(to, "README.md"), "my own card");
    const before = contentsBelow(to);
    const events: RunEvent[] = [];
    expect(await refusal(exportRun(finished, { to, onEvent: (event) => void events.push(event) }))).toBe(
      `${to}: 'README.md' was changed since the export; move it elsewhere, or export to another folder`,
    );
    expect(events).toEqual([]);
    expect(contentsBelow(to)).toEqual(before);
    expect(readdirSync(join(to, ".."))).toEqual(["model"]);
  });

  test("refuses an earlier export that is changed while another is made, and leaves it alone", async () => {
    const to = join(await temporaryFolder(), "model");
    await exportRun(finished, { to });
    const change = (): void => writeFileSync(join(to, "README.md"), "my own card");
    expect(await refusal(exportRun(finished, { to, onEvent: change }))).toBe(
      `${to}: 'README.md' was changed since the export; move it elsewhere, or export to another folder`,
    );
    expect(readFileSync(join(to, "README.md"), "utf8")).toBe("my own card");
    expect(readdirSync(join(to, ".."))).toEqual(["model"]);
  });

  test("leaves folders alone whose names are near the target's, whatever they hold", async () => {
    const folder = await temporaryFolder();
    const mine = ["model.earlier", "model.incomplete", ".model.evomerge-0-1", "model.kept"];
    for (const name of mine) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "thesis.txt"), "mine");
    }
    await exportRun(finished, { to: join(folder, "model") });
    await exportRun(finished, { to: join(folder, "model") });
    expect(readdirSync(folder).toSorted()).toEqual([...mine, "model"].toSorted());
    for (const name of mine) expect(readFileSync(join(folder, name, "thesis.txt"), "utf8")).toBe("mine");
  });

  test("refuses to take the place of a parent, which may be an earlier export", async () => {
    const folder = await temporaryFolder();
    const experiment = await tinyExperiment(folder, { file: { budget: { evaluations: 5 } } });
    const { model: craft } = await exportRun(finished, { to: join(folder, "earlier") });
    const experts = experiment.experts.map((expert) => (expert.name === "craft" ? { ...expert, path: craft } : expert));
    await launchRun({ ...experiment, experts }, join(folder, "run"));
    const before = contentsBelow(craft);
    expect(await refusal(exportRun(join(folder, "run"), { to: craft }))).toBe(
      `${craft}: is the folder of craft, which the merge is made of; export to another folder`,
    );
    expect(contentsBelow(craft)).toEqual(before);
  });

  test.each(["model.safetensors", "tokenizer.json"])("refuses to take the place of a parent's %s", async (linked) => {
    const folder = await temporaryFolder();
    const experiment = await tinyExperiment(folder, { file: { budget: { evaluations: 5 } } });
    const { model: earlier } = await exportRun(finished, { to: join(folder, "earlier") });
    // As the Hub's cache has it, with links to files.
    const craft = join(folder, "linked");
    mkdirSync(craft);
    for (const name of readdirSync(earlier)) {
      if (name === linked) symlinkSync(join("..", "earlier", name), join(craft, name));
      else if (name !== "SHA256SUMS") copyFileSync(join(earlier, name), join(craft, name));
    }
    const experts = experiment.experts.map((expert) => (expert.name === "craft" ? { ...expert, path: craft } : expert));
    await launchRun({ ...experiment, experts }, join(folder, "run"));
    const before = contentsBelow(craft);
    expect(await refusal(exportRun(join(folder, "run"), { to: earlier }))).toBe(
      `${earlier}: ${join(craft, linked)} links into it, a file of craft, which the merge is made of; export to another folder`,
    );
    expect(contentsBelow(craft)).toEqual(before);
  });
});
