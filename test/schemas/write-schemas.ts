/** Writes the files of `schemas/` anew: `npx tsx test/schemas/write-schemas.ts && npx oxfmt schemas`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { jsonSchemas } from "./json-schemas.ts";

for (const [name, schema] of jsonSchemas)
  writeFileSync(join(import.meta.dirname, "../../schemas", `${name}.json`), JSON.stringify(schema, null, 2));
