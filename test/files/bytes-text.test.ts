import { describe, expect, test } from "vitest";
import { bytesText } from "../../src/files/bytes-text.ts";

describe("bytesText", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [80_600_000, "80.6 MB"],
    [999_999_999, "1.0 GB"],
    [16_060_522_496, "16.1 GB"],
    [2.5e15, "2500.0 TB"],
  ])("of %d bytes is %s", (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });
});
