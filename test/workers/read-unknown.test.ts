import { expect, test } from "vitest";
import { openWorkspace, type ScoredParents } from "../../src/experiment/workspace.ts";
import { readUnknown } from "../../src/workers/shared-identity.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";

type Parents = Pick<ScoredParents, "checkpoints" | "model">;

/** The parents, of which reading is something else. */
async function parentsReadBy(read: (name: string) => Promise<void>): Promise<Parents> {
  await using workspace = await openWorkspace(await tinyExperiment(await temporaryFolder()));
  const checkpoints = new Map(Array.from(workspace.checkpoints, ([name]) => [name, { known: new Map(), read }]));
  return { model: workspace.model, checkpoints: checkpoints as unknown as Parents["checkpoints"] };
}

test("parents are read several weights at once, and no more behind a fault", async () => {
  let [begun, underWay, most] = [0, 0, 0];
  const parents = await parentsReadBy(async () => {
    begun += 1;
    most = Math.max(most, (underWay += 1));
    await new Promise(setImmediate);
    underWay -= 1;
    if (begun >= 8) throw new Error(`fault ${begun}`);
  });
  await expect(readUnknown(parents, undefined)).rejects.toThrow("fault 8");
  expect([begun, underWay, most]).toEqual([8, 0, 4]);
});

test("parents are not read for what was interrupted", async () => {
  const parents = await parentsReadBy(() => Promise.reject(new Error("it was read")));
  await expect(readUnknown(parents, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
});
