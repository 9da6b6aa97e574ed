import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { compiled } from "../compiled.ts";

test("a process that is busy for ever ends when its parent is killed", async () => {
  const parent = spawn(process.execPath, [compiled("test/files/busy-parent")]);
  const [told] = (await once(parent.stdout, "data")) as [Buffer];
  const child = Number(told.toString());
  onTestFinished(() => void (isAlive(child) && process.kill(child, "SIGKILL")));
  expect(isAlive(child)).toBe(true);
  parent.kill("SIGKILL");
  await expect.poll(() => isAlive(child)).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
