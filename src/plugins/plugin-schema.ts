/** What a module may export as a plugin. */
import { z } from "zod";
import { PLUGIN_WORD } from "../files/plugin-name.ts";
import { namelessMethodSchema } from "../merge/formula-method-schema.ts";
import { found } from "./call-plugin.ts";

const WORD = "of letters, digits, _, - and ., no digit first";

/** Columns that every task has. */
const TASK_COLUMNS = ["loss", "accuracy", "rows"] as const;

const functionSchema = z.custom<() => unknown>((value) => typeof value === "function", "expected a function");

/** Keys are looked at as they are: zod leaves out one named `__proto__`, and does not say what is wrong with another. */
function byName<T>(item: z.ZodType<T>, taken: readonly string[] = []): z.ZodType<Record<string, T> | undefined> {
  const isName = (name: string): boolean => PLUGIN_WORD.test(name) && name !== "__proto__" && !taken.includes(name);
  const expected = `names ${WORD}${taken.length > 0 ? `, and none of ${taken.join(", ")}` : ""}`;
  return z
    .unknown()
    .superRefine((value, context) => {
      const other = Object.keys(Object(value)).find((name) => !isName(name));
      if (other !== undefined) context.addIssue({ code: "custom", message: `expected ${found(expected, other)}` });
    })
    .pipe(z.record(z.string(), item))
    .optional();
}

const taskSchema = z.strictObject({
  columns: z.array(z.string()),
  row: functionSchema,
  loss: functionSchema.optional(),
  isRight: functionSchema.optional(),
  metrics: byName(functionSchema, TASK_COLUMNS),
});

const optimizerSchema = z
  .strictObject({
    create: functionSchema,
    population: z.union([functionSchema, z.literal("one point")]),
    beside: z.enum(["mean", "best so far"]).optional(),
    usesGradients: z.boolean(),
  })
  .refine(
    ({ beside, usesGradients }) => usesGradients === (beside === undefined),
    "expected beside, what the reference of a generation is, of an optimizer without gradients, and of no other",
  );

export const pluginSchema = z.strictObject({
  name: z.string().regex(PLUGIN_WORD, `expected a name ${WORD}`),
  version: z.string().max(100).optional(),
  tasks: byName(taskSchema),
  optimizers: byName(optimizerSchema),
  methods: byName(namelessMethodSchema),
  engines: byName(z.strictObject({ open: functionSchema })),
});
