// oxlint-disable-next-line evomerge/bounded-reads -- of our own package
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The version in this package's package.json. */
export function evomergeVersion(): string {
  const path = join(import.meta.dirname, "..", "..", "package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
