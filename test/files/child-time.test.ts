import { spawn } from "node:child_process";
import { once } from "node:events";
import { platform } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { ChildTime } from "../../src/files/child-time.ts";

/** A process that says so once its program runs. */
async function childOf(program: string): Promise<number | undefined> {
  const child = spawn(process.execPath, ["-e", `process.stdout.write("."); ${program}`]);
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child.pid;
}

test.runIf(platform() === "linux")("a child that others keep from the processors has taken little time", async () => {
  const waiting = new ChildTime(await childOf("setTimeout(() => {}, 1e6)"));
  expect(waiting.look(10_000)).toBeLessThan(5_000);
  waiting.restart();
  expect(waiting.look(100)).toBeLessThan(100);
});

test("one that computes has taken what it computed, and no more than has passed", async () => {
  const busy = new ChildTime(await childOf("for (;;);"));
  expect(busy.look(1)).toBeLessThanOrEqual(1);
  busy.look(599);
  await expect.poll(() => busy.look(0)).toBeGreaterThan(200);
  await expect.poll(() => busy.look(0)).toBe(600);
});

test("one that only waits is not waited for without an end", async () => {
  const waiting = new ChildTime(await childOf("setTimeout(() => {}, 1e6)"));
  expect(waiting.look(1e6)).toBeGreaterThanOrEqual(2e5);
});

test("where the system does not tell, time that passes is what counts", () => {
  const unknown = new ChildTime(undefined);
  expect(unknown.look(250)).toBe(250);
  expect(unknown.look(250)).toBe(500);
  unknown.restart();
  expect(unknown.look(250)).toBe(250);
});
