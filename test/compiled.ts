import { join } from "node:path";
import { inject } from "vitest";
import type { TestProgram } from "./compile-programs.ts";

/** Path of a built program of tests, or of the command line, for a process of its own. */
export function compiled(program: `test/${TestProgram}` | "cli/main"): string {
  return join(inject("compiled"), "dist", `${program}.js`);
}
