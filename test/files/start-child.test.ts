import { expect, test } from "vitest";
import { startChild } from "../../src/files/start-child.ts";

const what = "the process that reads parquet";
const stdio = ["ignore", "ignore", "ignore", "ipc"] as const;

test.each([
  ["ends", { execArgv: ["--no-such-option"] }, "exit code 9"],
  // Node waits for a debugger, as it does for threads that were not made.
  ["waits for ever", { execArgv: ["--inspect-brk=127.0.0.1:0"], patienceMs: 100 }, "it says nothing"],
])("a process that %s before it has started is told of in a sentence", async (_, options, why) => {
  const { child, started } = startChild("parquet", { what, stdio: [...stdio], ...options });
  try {
    await expect(started).rejects.toMatchObject({
      name: "UserError",
      message: `${what} does not start (${why}); the system may allow too few processes and threads (ulimit -u, the pids limit of a container) or have too little memory`,
    });
  } finally {
    child.kill("SIGKILL");
  }
});

test("one that starts is there once it says so", async () => {
  const { child, started } = startChild("parquet", { what, stdio: [...stdio] });
  try {
    await started;
    expect(child.connected).toBe(true);
  } finally {
    child.kill("SIGKILL");
  }
});
