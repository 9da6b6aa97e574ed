/** Writes the table of docs/methods.md anew: `npx tsx test/merge/write-methods.ts && npx oxfmt docs/methods.md`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withMethods } from "./methods-table.ts";

const path = join(import.meta.dirname, "../../docs/methods.md");
writeFileSync(path, withMethods(readFileSync(path, "utf8")));
