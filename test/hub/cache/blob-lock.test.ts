import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { lockBlob } from "../../../src/hub/cache/blob-lock.ts";
import { currentProcess, type ProcessIdentity } from "../../../src/files/process-identity.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

/** Waits for a blob that the holder has claimed, through some silence; returns the claims that are left. */
async function waitThrough(silenceMs: number, holder: ProcessIdentity, signal?: AbortSignal): Promise<string[]> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "blob-1.lock"), JSON.stringify(holder));
  vi.useFakeTimers({ toFake: ["Date"] });
  const waiting = lockBlob(join(folder, "blob"), signal);
  vi.setSystemTime(Date.now() + silenceMs);
  using _ = await waiting;
  // Before the lock is given back.
  return await readdir(folder);
}

afterEach(() => void vi.useRealTimers());

const { started: _, ...unknown } = currentProcess();
const MINUTE_MS = 60_000;

describe("lockBlob", () => {
  test.each([unknown, { pid: 1, host: "elsewhere" }])(
    "takes nothing from a silent process of which it cannot be known whether it is alive, and says what to do: %o",
    async (holder) => {
      await expect(waitThrough(7 * MINUTE_MS, holder)).rejects.toThrow(
        /blob has been in use, without a byte for minutes, by process \d+ on .*, which cannot be seen from here; if it has ended, delete .*blob-1.lock$/,
      );
      await expect(waitThrough(5 * MINUTE_MS, holder, AbortSignal.timeout(400))).rejects.toThrow(/abort/);
    },
  );

  test.runIf(process.platform === "linux")("waits for a process that is alive", async () => {
    await expect(waitThrough(60 * MINUTE_MS, currentProcess(), AbortSignal.timeout(400))).rejects.toThrow(/abort/);
  });
});
