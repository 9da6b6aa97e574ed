import { join, relative } from "node:path";
import { inject } from "vitest";

const root = join(import.meta.dirname, "..");

/** The program that a file in TypeScript was compiled to, for a process of its own. */
export function compiled(...path: readonly string[]): string {
  return join(inject("compiled"), relative(root, join(...path)).replace(/\.ts$/, ".js"));
}
