import { describe, expect, test } from "vitest";
import { LaneClock } from "../../../src/device/rehearsal/lane-clock.ts";

describe("LaneClock", () => {
  test("has pieces of work take the lane that is idle first, and all lanes wait for the last of them", () => {
    const clock = new LaneClock(2);
    for (const ms of [4, 1, 2]) clock.begin(ms);
    expect(clock.now()).toBe(0);
    for (let ended = 0; ended < 3; ended += 1) clock.end();
    // 1 and 2 one after the other beside 4.
    expect(clock.now()).toBe(4);
    expect(clock.busyMs).toBe(7);
    clock.begin(3);
    clock.end();
    expect(clock.now()).toBe(7);
  });

  test("is put forward, never back, by who waits", () => {
    const clock = new LaneClock(1);
    clock.waitUntil(5);
    clock.waitUntil(3);
    expect(clock.now()).toBe(5);
    clock.begin(2);
    clock.end();
    expect(clock.now()).toBe(7);
  });
});
