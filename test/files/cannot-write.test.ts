import { mkdirSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cannotWrite } from "../../src/files/cannot-write.ts";
import { explainFailure } from "../../src/files/durable-write.ts";
import { mountOn } from "../mounted.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** As Node throws it, which has no name for that of quotas. */
function failure(name: "ENOSPC" | "EDQUOT" | "EROFS" | "EACCES"): Error {
  const errno = -constants.errno[name];
  const code = name === "EDQUOT" ? `Unknown system error ${errno}` : name;
  return Object.assign(new Error(`${code}: something, write`), { code, errno, syscall: "write" });
}

test("of a full disk it is said what is needed and what is free, also where the folder is not there yet", async () => {
  const path = join(await temporaryFolder(), "none", "model.safetensors");
  const { message, name } = cannotWrite(path, failure("ENOSPC"), 31_976);
  expect(name).toBe("UserError");
  expect(message.replace(/[\d,]+(?= bytes are free)/, "#")).toBe(
    `cannot write ${path}: no space left on device (31,976 bytes are needed, # bytes are free); make room there and try again`,
  );
  expect(cannotWrite(path, failure("ENOSPC")).message).toMatch(/device \([\d,]+ bytes are free\); make room/);
});

test("of a folder on a disk that is read-only it is said that it is", async ({ skip }) => {
  const disk = await temporaryFolder();
  mountOn(disk, skip, ["-t", "tmpfs", "-o", "ro", "tmpfs"]);
  const path = join(disk, "results", "run");
  const make = (): unknown => mkdirSync(path, { recursive: true });
  expect(() => explainFailure(path, make)).toThrow(
    `${path}: read-only file system; choose a place that can be written to`,
  );
});

test.each([
  [
    "EDQUOT",
    /^cannot write \/x: disk quota exceeded; remove files of yours there, or ask for a larger quota, and try again$/,
  ],
  ["EROFS", /^cannot write \/x: read-only file system; choose a place that can be written to$/],
  ["EACCES", /^cannot write \/x: permission denied$/],
] as const)("of %s it is said what to do, where that is known", (code, sentence) => {
  expect(cannotWrite("/x", failure(code)).message).toMatch(sentence);
});
