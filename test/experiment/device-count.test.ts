import { expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { countDevices, type CountedDevices } from "../../src/experiment/device-count.ts";

function counted(alike: number | undefined, asked?: number, formats: readonly string[] = []): CountedDevices {
  const tasks = formats.map((format) => ({ name: "quiz", format }));
  const device = { name: "ggml on CUDA (NVIDIA T4)", alike } as Device;
  return countDevices({ tasks } as unknown as Parameters<typeof countDevices>[0], { device, why: "it is here" }, asked);
}

test("all devices of its name score, or as many as are asked for", () => {
  expect(counted(4)).toEqual({ count: 4, why: "it is here; all 4 of its name score" });
  expect(counted(4, 2)).toEqual({ count: 2, why: "it is here; 2 of 4 of its name score" });
  expect(counted(4, 1)).toEqual({ count: 1, why: "it is here; 1 of 4 of its name scores" });
  expect(counted(1)).toEqual({ count: 1, why: "it is here" });
  expect(counted(undefined)).toEqual({ count: 1, why: "it is here" });
});

test("more than there are is refused", () => {
  const sentence = "devices: expected at most 4, as ggml on CUDA (NVIDIA T4) has here, found 5; ask for fewer";
  expect(() => counted(4, 5)).toThrow(sentence);
  expect(() => counted(undefined, 2)).toThrow(/^devices: expected at most 1, /);
});

test("losses of a plugin are known to the run's own process alone", () => {
  const why = "it is here; 1 of 4 of its name scores, since the format of quiz is a plugin's";
  expect(counted(4, undefined, ["mine/format"])).toEqual({ count: 1, why });
});
