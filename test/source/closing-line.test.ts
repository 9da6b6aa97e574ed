import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";
import { root } from "./source-files.ts";

interface TestedFile {
  readonly name: string;
  readonly tests: Readonly<Record<string, "passed" | "failed" | "skipped">>;
  readonly status?: "failed";
}

/** What the gate says last after tests that ended so, or were not run, and failed steps. */
async function closingLine(files: readonly TestedFile[] | undefined, ...steps: string[]): Promise<string> {
  const path = join(await temporaryFolder(), "tests.json");
  const count = (wanted: string): number =>
    (files ?? []).flatMap(({ tests }) => Object.values(tests)).filter((status) => status === wanted).length;
  const report = {
    numPassedTests: count("passed"),
    numFailedTests: count("failed"),
    numPendingTests: count("skipped"),
    testResults: files?.map(({ name, tests, status }) => ({
      name: join(root, name),
      status: status ?? (Object.values(tests).includes("failed") ? "failed" : "passed"),
      assertionResults: Object.entries(tests).map(([fullName, status]) => ({ fullName, status })),
    })),
  };
  if (files) writeFileSync(path, JSON.stringify(report));
  return execFileSync("node", [".ci/closing-line.js", path, ...steps], { cwd: root, encoding: "utf8" });
}

test("counts tests where all is well", async () => {
  const files = [{ name: "test/a.test.ts", tests: { one: "passed", two: "passed", three: "skipped" } }] as const;
  expect(await closingLine(files)).toBe("2 passed, 0 failed, 1 skipped\n");
});

test("names tests, files that did not run, and steps", async () => {
  const files = [
    { name: "test/a.test.ts", tests: { one: "passed", " two\nlines": "failed" } },
    { name: "test/b.test.ts", tests: {}, status: "failed" },
    { name: "test/c.test.ts", tests: { three: "skipped" }, status: "failed" },
  ] as const;
  expect(await closingLine(files, "npm test", "test/parity/run.sh")).toBe(
    "1 passed, 4 failed, 1 skipped; failed: test/a.test.ts > two lines, test/b.test.ts, test/c.test.ts, test/parity/run.sh\n",
  );
});

test("names the run of the tests where none of them has failed", async () => {
  const files = [{ name: "test/a.test.ts", tests: { one: "passed" } }] as const;
  expect(await closingLine(files, "npm test")).toBe("1 passed, 1 failed, 0 skipped; failed: npm test\n");
});

test("says so when there were no tests at all", async () => {
  expect(await closingLine(undefined, "npm run build")).toBe("0 passed, 1 failed, 0 skipped; failed: npm run build\n");
});

test("names twenty of many", async () => {
  const tests = Object.fromEntries(Array.from({ length: 23 }, (_, i) => [`t${i}`, "failed"] as const));
  const line = await closingLine([{ name: "a", tests }]);
  expect(line).toMatch(/^0 passed, 23 failed, 0 skipped; failed: a > t0, .*, a > t19, 3 more\n$/);
});
