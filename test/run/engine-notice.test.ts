import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { scoreModel } from "../../src/experiment/score-model.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { fakeNvidiaSmi } from "../device/fake-nvidia-smi.ts";
import { hasGpuPackage } from "../device/installed-package.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";

afterEach(() => vi.unstubAllEnvs());

describe.skipIf(hasGpuPackage)("a run beside a GPU that it cannot use (where no package for GPUs is installed)", () => {
  test("says so first, and whoever stops it there has lost nothing", async () => {
    await fakeNvidiaSmi("580.95.05, 80994, NVIDIA H100 80GB HBM3");
    const models = await temporaryFolder();
    const folder = join(models, "run");
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent): void => {
      events.push(event);
      throw new Error("I want the GPU");
    };
    await expect(launchRun(await tinyExperiment(models), folder, { onEvent })).rejects.toThrow("I want the GPU");
    expect(events).toEqual([{ type: "notice", text: expect.stringContaining("nvidia-smi lists NVIDIA H100") }]);
    expect(existsSync(folder)).toBe(false);
  });

  test("says so when it only scores a model", async () => {
    await fakeNvidiaSmi("580.95.05, 80994, NVIDIA H100 80GB HBM3");
    const models = await temporaryFolder();
    await tinyExperiment(models);
    const notices: string[] = [];
    const onNotice = (text: string): void => void notices.push(text);
    await scoreModel({ model: join(models, "craft"), rows: join(models, "rows", "quiz.jsonl"), onNotice });
    expect(notices).toEqual([expect.stringContaining("nvidia-smi lists NVIDIA H100")]);
  });
});
