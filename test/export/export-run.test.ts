import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { RunEvent } from "../../src/run/session/events.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { interrupt } from "../observed-run.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, traces } from "../tiny-experiment.ts";
import { writeTinyModel } from "../tiny-model.ts";
import { contentsBelow } from "../contents-below.ts";

let models: string;
let experiment: Experiment;
/** A finished run, which tests only read. */
let finished: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  experiment = await tinyExperiment(models);
  writeFileSync(join(models, "base", "LICENSE"), "as the base's\n");
  writeFileSync(join(models, "base", "Notice.txt"), "as the base's\n");
  writeFileSync(join(models, "base", "training_args.bin"), "not of the model");
  finished = join(models, "run");
  await launchRun(experiment, finished);
});
afterAll(() => rm(models, { recursive: true, force: true }));

/** A run that was interrupted when the event came. */
async function interrupted(at: (event: RunEvent) => boolean): Promise<string> {
  const folder = join(await temporaryFolder(), "run");
  await interrupt(experiment, folder, at);
  return folder;
}

describe("exportRun", () => {
  test("writes a model folder with what the base has beside its weights, and nothing else", async () => {
    const to = join(await temporaryFolder(), "model");
    const events: RunEvent[] = [];
    const exported = await exportRun(finished, { to, onEvent: (event) => void events.push(event) });
    expect(readdirSync(to).toSorted()).toEqual([
      "LICENSE",
      "Notice.txt",
      "README.md",
      "SHA256SUMS",
      "config.json",
      "mergekit_config.yml",
      "model.safetensors",
      "recipe.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(readdirSync(join(to, ".."))).toEqual(["model"]);
    expect(readFileSync(join(to, "config.json"))).toEqual(readFileSync(join(models, "base", "config.json")));
    expect(JSON.parse(readFileSync(join(to, "recipe.json"), "utf8"))).toEqual(exported.winner.recipe);
    expect(execFileSync("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: to, encoding: "utf8" })).toBe(
      readdirSync(to)
        .filter((name) => name !== "SHA256SUMS")
        .toSorted()
        .map((name) => `${name}: OK\n`)
        .join(""),
    );
    expect(events.pop()).toEqual({ type: "exported", folder: to, weightsDigest: exported.weightsDigest });
    const shares = events.map((event) => (event.type === "progress" && event.phase === "export" ? event.share : -1));
    expect(shares).toEqual(shares.map((_, i) => (i + 1) / shares.length));
    expect(exported.lmEval).toBe(`lm_eval --model hf --model_args pretrained=${to} --tasks mmlu --batch_size 8`);
  });

  test("writes the very weights that the verdict is about, and they score the same", async () => {
    const to = join(await temporaryFolder(), "model");
    const { weightsDigest, winner } = await exportRun(finished, { to });
    const [verdict] = recorded(finished, "verdict");
    expect(winner.name).toBe("evolved merge");
    expect(weightsDigest).toBe(verdict!.weightsDigest);
    const { scores } = verdict!.models.find(({ kind }) => kind === "winner")!;
    for (const { name, guard } of experiment.tasks) {
      const { loss } = await scoreModel({ model: to, rows: guard as readonly string[], precision: "f32" });
      expect(loss).toBeCloseTo(scores[name]!.loss, 6);
    }
  });

  test("writes a card with recipe, engine, time, rows, seed and scores", async () => {
    const to = join(await temporaryFolder(), "model");
    await exportRun(finished, { to });
    const card = readFileSync(join(to, "README.md"), "utf8")
      .replaceAll(models, "~")
      .replace(/(?<=^- engine: ).*(?=, products)/m, "...")
      .replace(/(?<=^- time: )\d+ s/m, "# s")
      .replace(/(?<=, begun on ).*$/m, "...");
    expect(card.replaceAll(/[+-]?\d+\.\d+/g, "#").replace(/`[0-9a-f]{64}`/, "`#`")).toMatchInlineSnapshot(`
      "---
      library_name: transformers
      tags:
        - merge
        - evomerge
      license: other
      ---

      # tiny: evolved merge

      The best merge that was found by evomerge #.0, without training, from these models:

      - base: a local model, licence not stated
      - nature: a local model, licence not stated
      - craft: a local model, licence not stated

      ## Licence

      No licence is stated for base, nature, craft: ask before you pass the merge on.

      ## Recipe

      Method \`task_arithmetic\`: base + sum of weight x (expert - base) (Ilharco et al. 2023, arXiv:#).

      | weight (mean over the layers) | nature | craft |
      | --- | ---: | ---: |
      | attention | # | # |
      | mlp | # | # |
      | norm | # | # |
      | embedding | # | # |

      The exact coefficients are in \`recipe.json\`. Digest of the weights: \`#\`.

      ## Search

      - engine: ..., products in f32
      - time: # s up to the last step, of a budget of 10 evaluations
      - rows that one model met: quiz 16 in the search, 8 on guard; news 8 in the search, 6 on guard
      - seed 1, begun on ...

      ## Scores on rows that the search never saw

      Loss of quiz: -log p, where p is the probability of the right answer among the answers; of news: nats per byte.
      Losses: lower is better, with 95 % intervals; combined is 1 for the uniform average on the search rows. Gains are the winner's over the model of the row, paired by row;
      rows of one group count once, and p-values are corrected for the number of models (Holm). Percentages are of the other model's loss.

      | model | combined | winner's gain | p (Holm) | winner is | quiz loss | quiz accuracy | news loss |
      | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
      | base | # | # [#, #] | # | neither | # [#, #] | # | # [#, #] |
      | nature | # | # [#, #] | # | neither | # [#, #] | # | # [#, #] |
      | craft | # | # [#, #] | # | neither | # [#, #] | # | # [#, #] |
      | uniform average | # | # [#, #] | # | neither | # [#, #] | # | # [#, #] |
      | global weight # | # | # [#, #] | # | neither | # [#, #] | # | # [#, #] |
      | evolved merge | # |  |  |  | # [#, #] | # | # [#, #] |

      - The winner is neither significantly better nor worse than base on the tasks combined.
      - The winner is neither significantly better nor worse than nature on the tasks combined.
      - The winner is neither significantly better nor worse than craft on the tasks combined.
      - The winner is neither significantly better nor worse than uniform average on the tasks combined.
      - The winner is neither significantly better nor worse than global weight # on the tasks combined.
      - The guard rows tell as much as few groups of equal size (8 of quiz, 6 of news): with fewer than 30, intervals and p-values are rough.

      ## Evaluation

      \`\`\`
      lm_eval --model hf --model_args pretrained=. --tasks mmlu --batch_size 8
      \`\`\`
      "
    `);
  });

  test("of an unfinished run takes the better of its last scored mean and its best baseline, and leaves the run as it was", async () => {
    const run = await interrupted((event) => event.type === "generation" && event.generation === 1);
    const before = traces(run);
    const { winner, model, weightsDigest } = await exportRun(run);
    const known = recorded(run, "baselines")[0]!.models.find(({ name }) => name === winner.name)?.loss;
    const { losses, reference } = recorded(run, "result").at(-1)!;
    expect(winner.loss).toBe(known ?? losses[reference]);
    expect(model).toBe(join(run, "best"));
    expect(readFileSync(join(model, "README.md"), "utf8")).toContain(
      "Not compared: the run had not scored its guard rows when this was exported.",
    );
    expect(weightsDigest).toMatch(/^[0-9a-f]{64}$/);
    expect(traces(run)).toEqual(before);
  });

  test("of a run before its first generation takes the best baseline", async () => {
    const run = await interrupted((event) => event.type === "planned");
    const { models: scored } = recorded(run, "baselines")[0]!;
    const most = Math.max(...scored.map(({ rows }) => rows["quiz"]!));
    const [best] = scored.filter(({ rows }) => rows["quiz"] === most).toSorted((a, b) => a.loss - b.loss);
    const { rows: _, ...expected } = best!;
    expect((await exportRun(run)).winner).toEqual(expected);
  });

  test("refuses a run that has not scored anything", async () => {
    const run = await interrupted((event) => event.type === "progress");
    expect(await refusal(exportRun(run))).toBe(
      `${run}: the run has not got as far as its forecast; let it go on, or resume it`,
    );
    expect(existsSync(join(run, "best"))).toBe(false);
  });

  test("refuses a folder that is no run", async () => {
    expect(await refusal(exportRun(join(models, "base")))).toBe(
      `${join(models, "base")} holds no run: expected the file journal.jsonl in it`,
    );
  });

  test("replaces an earlier export as a whole", async () => {
    const to = join(await temporaryFolder(), "model");
    await exportRun(await interrupted((event) => event.type === "planned"), { to });
    const before = contentsBelow(to);
    await exportRun(finished, { to });
    expect(Object.keys(contentsBelow(to))).toEqual(Object.keys(before));
    expect(contentsBelow(to)["model.safetensors"]).not.toBe(before["model.safetensors"]);
    expect(readdirSync(join(to, ".."))).toEqual(["model"]);
  });

  test("refuses a folder with files that no export wrote, and leaves them alone", async () => {
    const to = join(await temporaryFolder(), "model");
    await exportRun(finished, { to });
    writeFileSync(join(to, "notes.txt"), "mine");
    const before = contentsBelow(to);
    expect(await refusal(exportRun(finished, { to }))).toBe(
      `${to}: holds notes.txt, which no export wrote; expected a new folder or an earlier export`,
    );
    expect(contentsBelow(to)).toEqual(before);
    expect(await refusal(exportRun(finished, { to: finished }))).toMatch(/holds \S+, which no export wrote/);
    expect(await refusal(exportRun(finished, { to: join(to, "notes.txt") }))).toBe(
      `cannot write ${join(to, "notes.txt")}: not a directory`,
    );
  });

  test("refuses when an expert is not the one that was scored, and the earlier export stays", async () => {
    const folder = await temporaryFolder();
    const run = join(folder, "run");
    await launchRun(await tinyExperiment(folder, { file: { budget: { evaluations: 5 } } }), run);
    await exportRun(run);
    const before = contentsBelow(join(run, "best"));
    await writeTinyModel(join(folder, "craft"), { tokenizer: join(folder, "base"), seed: 3 });
    expect((await refusal(exportRun(run))).replaceAll(/\b[0-9a-f]{12}\b/g, "#")).toBe(
      `${folder}/craft/model.safetensors: tensor model.embed_tokens.weight: expected bf16 [320,16] # as when it was first read, found bf16 [320,16] #; restore the file, or start a new run`,
    );
    expect(contentsBelow(join(run, "best"))).toEqual(before);
  });

  test("stops at a signal before the next weight, and leaves nothing behind", async () => {
    const to = join(await temporaryFolder(), "model");
    const interruption = new AbortController();
    let events = 0;
    const onEvent = (): void => {
      events += 1;
      interruption.abort(new Error("enough"));
    };
    await expect(exportRun(finished, { to, onEvent, signal: interruption.signal })).rejects.toThrow("enough");
    expect(events).toBe(1);
    expect(readdirSync(join(to, ".."))).toEqual([]);
  });
});

describe("a full disk", () => {
  test("fails the export in one sentence; the earlier export and the journal stay", async ({ skip }) => {
    const disk = await temporaryFolder();
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      skip("needs the right to mount a small disk");
    }
    onTestFinished(() => void execFileSync("umount", ["--lazy", disk]));
    const run = join(disk, "run");
    cpSync(finished, run, { recursive: true });
    await exportRun(run);
    const before = { best: contentsBelow(join(run, "best")), traces: traces(run) };
    const { bavail, bsize } = statfsSync(disk);
    // Three of the blocks are for the locks and the mark of the place.
    writeFileSync(join(disk, "filler"), Buffer.alloc((bavail - 7) * bsize));

    expect((await refusal(exportRun(run))).replace(/[0-9a-f]{8}-[0-9a-f-]{36}/, "#")).toBe(
      `cannot write ${join(run, ".best.evomerge-#", "new", "model.safetensors")}: no space left on device (31,976 bytes are needed, 16,384 bytes are free); make room there and try again`,
    );
    expect({ best: contentsBelow(join(run, "best")), traces: traces(run) }).toEqual(before);
    expect(readdirSync(run).toSorted()).toEqual(["best", "journal.jsonl", "numbers.bin"]);

    rmSync(join(disk, "filler"));
    await exportRun(run);
    expect(contentsBelow(join(run, "best"))).toEqual(before.best);
  });
});
