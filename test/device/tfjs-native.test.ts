import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openForPrecision } from "../../src/device/exact-f32.ts";
import { openTfjs } from "../../src/device/tfjs/open-tfjs.ts";
import { describeEngine } from "./engine-contract.ts";
import { nativeTfjs } from "./installed-package.ts";
import { tolerances } from "./tolerances.ts";

if (nativeTfjs) {
  const installed = nativeTfjs;
  const open = async (): Promise<Device> => {
    const { device } = await openForPrecision("f32", async () => ({ device: await openTfjs(installed) }));
    return device;
  };
  describeEngine(`TensorFlow.js on ${installed}`, open, tolerances[installed].f32);
} else {
  describe("openTfjs without a native package", () => {
    test.each(["tfjs-node", "tfjs-node-gpu"] as const)("%s: names the command that installs it", async (name) => {
      await expect(openTfjs(name)).rejects.toMatchObject({
        name: "UserError",
        message: expect.stringContaining(`npm install --save-dev @tensorflow/${name}@4.22.0`),
      });
    });

    test("wasm still opens afterwards", async () => {
      await using device = await openTfjs();
      expect(device.name).toContain("wasm");
    });
  });
}
