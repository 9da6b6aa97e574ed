/**
 * The last line of the gate: node .ci/closing-line.js <vitest's JSON> [failed step ...]. It counts tests, and among what
 * failed also files of tests that could not be run and steps; and it names what failed. That "npm test" failed is said by the
 * names of the tests, if there are any.
 */
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";

const MOST_NAMES = 20;

const [, , path = "", ...steps] = process.argv;
const none = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, testResults: [] };
const { numPassedTests, numFailedTests, numPendingTests, testResults } = existsSync(path)
  ? JSON.parse(readFileSync(path, "utf8"))
  : none;

const tests = testResults.flatMap(({ name, assertionResults }) =>
  assertionResults
    .filter(({ status }) => status === "failed")
    .map(({ fullName }) => `${relative("", name)} > ${fullName.trim()}`),
);
const files = testResults
  .filter(
    ({ status, assertionResults }) => status === "failed" && !assertionResults.some((one) => one.status === "failed"),
  )
  .map(({ name }) => relative("", name));
const named = [...tests, ...files];
const others = steps.filter((step) => step !== "npm test" || named.length === 0);
const names = [...named, ...others].map((name) => name.replaceAll(/\s+/g, " "));
const shown = names.length > MOST_NAMES ? [...names.slice(0, MOST_NAMES), `${names.length - MOST_NAMES} more`] : names;

const failed = numFailedTests + files.length + others.length;
const behind = names.length === 0 ? "" : `; failed: ${shown.join(", ")}`;
process.stdout.write(`${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped${behind}\n`);
