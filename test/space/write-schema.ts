/** Writes search-spaces/schema.json anew: `npx tsx test/space/write-schema.ts && npx oxfmt search-spaces/schema.json`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { anySpaceSchema } from "../../src/space/spaces.ts";

const schema = z.toJSONSchema(anySpaceSchema, { io: "input" });
writeFileSync(join(import.meta.dirname, "../../search-spaces/schema.json"), JSON.stringify(schema, null, 2));
