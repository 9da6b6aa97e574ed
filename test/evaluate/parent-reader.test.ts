import { truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { openTfjs } from "../../src/device/tfjs/open-tfjs.ts";
import { UserError } from "../../src/errors.ts";
import { type ByParent, ParentReader } from "../../src/evaluate/parent-reader.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { ObservedDevice } from "./observed-device.ts";
import { openTinyFamily } from "./tiny-family.ts";

let ggml: Device;
let tfjs: Device;
beforeAll(async () => {
  ggml = await openGgml({ backend: "cpu" });
  tfjs = await openTfjs();
});
afterAll(async () => {
  await ggml[Symbol.asyncDispose]();
  await tfjs[Symbol.asyncDispose]();
});

const nothing = async (): Promise<void> => {};
const { signal: never } = new AbortController();

test.each(["ggml", "tfjs"])(
  "brings the bytes of the files to %s, in the order in which they are asked for",
  async (engine) => {
    const device = engine === "ggml" ? ggml : tfjs;
    await using family = await openTinyFamily(await temporaryFolder(), device);
    const reader = new ParentReader(device, family.checkpoints);
    const names = [...family.checkpoints.get("base")!.tensors.keys()];
    const met: string[] = [];
    const bringing = names.map((name) =>
      reader.bring(
        name,
        async (own) => {
          met.push(own.map(({ parent, info }) => `${parent} ${info.name}`).join());
        },
        never,
      ),
    );
    const brought = await Promise.all(bringing);
    const places = met.map((own) =>
      names.findIndex((name) => own === ["base", "a", "b"].map((p) => `${p} ${name}`).join()),
    );
    expect([...places].toSorted((a, b) => a - b)).toEqual(names.map((_, i) => i));
    // Two weights are under way at once: any number may overtake a slow one, but only one is late at a time.
    for (const [i, place] of places.entries())
      expect(places.slice(i).filter((later) => later < place).length).toBeLessThanOrEqual(1);
    for (const [i, byParent] of brought.entries()) {
      for (const [parent, checkpoint] of family.checkpoints)
        expect(await device.read(byParent[parent]!)).toEqual(await checkpoint.read(names[i]!));
      device.free(...Object.values(byParent));
    }
  },
);

test("has two weights on their way to a device at most, and nothing there once that is given up", async () => {
  const observed = new ObservedDevice(ggml);
  await using family = await openTinyFamily(await temporaryFolder(), observed);
  const reader = new ParentReader(observed, family.checkpoints);
  const names = [...family.checkpoints.get("base")!.tensors.keys()];
  const { bytes } = observed.memory;
  const controller = new AbortController();
  const reason = new Error("enough");
  let begun = 0;
  const slow = async (): Promise<void> => {
    begun += 1;
    await expect.poll(() => begun).toBe(2);
    controller.abort(reason);
  };
  const settled = Promise.allSettled(names.map((name) => reader.bring(name, slow, controller.signal)));
  await reader.settled();
  for (const result of await settled) expect(result).toEqual({ status: "rejected", reason });
  expect(begun).toBe(2);
  expect(observed.counts.upload).toBe(2 * 3);
  expect(observed.memory.bytes).toBe(bytes);
});

test("tells of a file that is cut while it is read in one sentence, and leaves nothing of the weight", async () => {
  const folder = await temporaryFolder();
  await using family = await openTinyFamily(folder, ggml);
  const reader = new ParentReader(ggml, family.checkpoints);
  const { bytes } = ggml.memory;
  const bring = (name: string): Promise<ByParent> => reader.bring(name, nothing, never);
  const path = join(folder, "b", "model.safetensors");
  truncateSync(path, 1000);
  await expect(bring("lm_head.weight")).rejects.toThrow(UserError);
  await expect(bring("lm_head.weight")).rejects.toThrow(`${path}: expected bytes up to`);
  expect(ggml.memory.bytes).toBe(bytes);
});
