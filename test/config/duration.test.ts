import { describe, expect, test } from "vitest";
import { durationSchema } from "../../src/config/duration.ts";

describe("durationSchema", () => {
  test.each([
    ["60s", 60],
    ["10m", 600],
    ["1.5h", 5400],
    ["24h", 86_400],
  ])("reads %s as %d seconds", (text, seconds) => {
    expect(durationSchema.parse(text)).toBe(seconds);
  });

  test.each(["60", "m", "1 h", "-5m", "1h30m", "0s", "1d", "", "8785h", "1e3h", `${"9".repeat(400)}s`])(
    "refuses %j",
    (text) => {
      expect(durationSchema.safeParse(text).success).toBe(false);
    },
  );
});
