import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { speedFindings } from "../../src/doctor/speed-findings.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("measures products, memory, uploads and the disk of a folder", async () => {
  const folder = await temporaryFolder();
  const [device, empty] = await speedFindings(folder);
  expect(device).toEqual({
    name: "speed device",
    works: true,
    detail: expect.stringMatching(
      /^[\d.]+ TFLOP\/s of products in f32, [\d.]+ in bf16; memory [\d.]+ [MGT]B\/s, upload [\d.]+ [MGT]B\/s$/,
    ),
  });
  expect(empty).toMatchObject({ works: false, detail: expect.stringContaining("no file of 1 MiB or more") });
  const file = join(folder, "weights");
  await writeFile(file, new Uint8Array(2 ** 22));
  const [, disk] = await speedFindings(folder);
  expect(disk).toMatchObject({
    works: true,
    detail: expect.stringMatching(/^[\d.]+ [MGT]B\/s of .+weights, as it is cached/),
  });
});
