/** The files of `schemas/`, made of what reads the files that people write. */
import { z } from "zod";
import { experimentSchemaWith } from "../../src/experiment/experiment-schema.ts";
import { PLUGIN_NAME } from "../../src/files/plugin-name.ts";
import { methodNames } from "../../src/merge/declarations.ts";
import { mergekitRecipeSchema } from "../../src/mergekit/recipe-file.ts";
import { anySpaceSchemaWith } from "../../src/space/spaces.ts";

const schemas = {
  experiment: experimentSchemaWith({ formats: "any", optimizers: "any", methods: new Map(), engines: "any" }),
  "search-space": anySpaceSchemaWith(),
  recipe: mergekitRecipeSchema,
};

/** Each by its name, as editors know them best. */
export const jsonSchemas: ReadonlyMap<string, object> = new Map(
  Object.entries(schemas).map(([name, schema]) => [
    name,
    z.toJSONSchema(schema, { io: "input", target: "draft-7", override: allowMethodsOfPlugins }),
  ]),
);

/** A method may be a plugin's, which an editor does not load, with parameters of its own. */
function allowMethodsOfPlugins({ jsonSchema: schema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (schema.enum?.length === methodNames.length && methodNames.every((name) => schema.enum?.includes(name))) {
    schema.anyOf = [
      { type: "string", enum: schema.enum },
      { type: "string", pattern: PLUGIN_NAME.source },
    ];
    delete schema.type;
    delete schema.enum;
  }
  const { weight, lambda } = schema.properties ?? {};
  if (weight !== undefined && lambda !== undefined) schema.additionalProperties = structuredClone(weight);
}
