/** The files of `schemas/`, made of what reads the files that people write. */
import { z } from "zod";
import { experimentSchemaWith } from "../../src/experiment/experiment-schema.ts";
import { mergekitRecipeSchema } from "../../src/mergekit/recipe-file.ts";
import { anySpaceSchema } from "../../src/space/spaces.ts";

const schemas = {
  experiment: experimentSchemaWith({ formats: "any", optimizers: "any" }),
  "search-space": anySpaceSchema,
  recipe: mergekitRecipeSchema,
};

/** Each by its name, as editors know them best. */
export const jsonSchemas: ReadonlyMap<string, object> = new Map(
  Object.entries(schemas).map(([name, schema]) => [name, z.toJSONSchema(schema, { io: "input", target: "draft-7" })]),
);
