import { expect, test, vi } from "vitest";
import { loadBullmq } from "../../src/workers/load-bullmq.ts";

vi.mock("ioredis", () => {
  throw new Error("Cannot find package 'standard-as-callback'");
});

test("says how the packages are installed where only a part of them is there", async () => {
  await expect(loadBullmq()).rejects.toThrow(
    /^workers over Redis: bullmq or ioredis does not load \(.*\); run npm install --save-dev bullmq@\S+ ioredis@\S+$/,
  );
});
