import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { HostTime } from "../../../src/device/rehearsal/host-time.ts";

describe("HostTime", () => {
  test("is what passed since it was taken last, without what was done aside, at once too", async () => {
    let now = 100;
    const host = new HostTime(() => now);
    now += 3;
    expect(host.take()).toBe(3);
    now += 1;
    const ending = new AbortController();
    const long = host.aside(() => once(ending.signal, "abort"));
    now += 50;
    expect(host.take()).toBe(1);
    expect(await host.aside(() => ((now += 7), "done"))).toBe("done");
    ending.abort();
    await long;
    now += 2;
    expect(host.take()).toBe(2);
  });

  test("counts again after what failed aside", async () => {
    let now = 0;
    const host = new HostTime(() => now);
    const failing = host.aside(() => {
      now += 9;
      throw new Error("failed");
    });
    await expect(failing).rejects.toThrow("failed");
    now += 4;
    expect(host.take()).toBe(4);
  });
});
