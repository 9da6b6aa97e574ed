import { z } from "zod";
import { expectation } from "../config/expectation.ts";
import { UserError } from "../errors.ts";
import { PLUGIN_NAME } from "../files/plugin-name.ts";
import { type MergeMethod, type MethodName, methodNames } from "./declarations.ts";
import type { FormulaMethod, FormulaParameter } from "./formula-method.ts";
import { formulaWords, parseFormula } from "./parse-formula.ts";
import { MAX_VALUE } from "./recipe.ts";

/** Words for people, which stand in Markdown, in Python and on terminals. */
const prose = z
  .string()
  .regex(/^[\p{L}\p{N} .,:;()+\-*/=|'%]{1,300}$/u, "a line of words, without quotes and brackets");

const value = z.number().min(-MAX_VALUE).max(MAX_VALUE);
const bounds = z
  .tuple([value, value])
  .refine(([low, high]) => low < high, "expected the lower end before the higher one");

/** What a recipe has beside the values of parameters. */
const KEYS_OF_RECIPES: ReadonlySet<string> = new Set(["method", "options", "seed"]);

const parameterSchema: z.ZodType<FormulaParameter> = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,39}$/, "a name of small letters, digits and _")
      .refine(
        (name) => !formulaWords.has(name) && !KEYS_OF_RECIPES.has(name) && !(name in {}),
        "expected a name without another meaning",
      ),
    per: z.enum(["expert", "model"]),
    range: bounds,
    start: z.union([value, z.literal("uniform")]),
    limits: bounds.exactOptional(),
    summary: prose,
  })
  .refine(({ range: [low, high], start }) => start === "uniform" || (start >= low && start <= high), {
    error: "expected a start in the range",
  })
  .refine(({ range: [low, high], limits: [least, most] = [low, high] }) => low >= least && high <= most, {
    error: "expected a range within the limits",
  });

const methodFields = {
  source: prose,
  summary: prose,
  // A longer one is not parsed: that takes the stack's memory, an operation's as well as a parenthesis's.
  formula: z.string().min(1).max(4000, { abort: true }),
  parameters: z
    .array(parameterSchema)
    .max(20)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, "expected every name once"),
  experts: z
    .strictObject({ least: z.int().min(1).max(1000), most: z.int().min(1).max(1000).exactOptional() })
    .refine(({ least, most = least }) => least <= most, "expected no more at least than at most")
    .exactOptional(),
};

function checkFormula({
  value: { formula, parameters },
  issues,
}: z.core.ParsePayload<Omit<FormulaMethod, "name">>): void {
  try {
    parseFormula(formula, parameters);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    issues.push({ code: "custom", input: formula, path: ["formula"], message: error.message });
  }
}

/** A method as a plugin has it, which is called by the key that it stands under. */
export const namelessMethodSchema: z.ZodType<Omit<FormulaMethod, "name">> = z
  .strictObject(methodFields)
  .check(checkFormula);

/** A method as recipes and search spaces carry it. */
export const formulaMethodSchema: z.ZodType<FormulaMethod> = z
  .strictObject({ name: z.string().regex(PLUGIN_NAME, "a name as plugin/name"), ...methodFields })
  .check(checkFormula);

/** Methods that are no built-in ones, by name. */
export type FormulaMethods = ReadonlyMap<string, FormulaMethod>;

/** The schema of a method's name, and what it stands for. */
export function methodSchemaWith(methods: FormulaMethods) {
  return z
    .enum([...methodNames, ...methods.keys()])
    .transform((name): MergeMethod => methods.get(name) ?? (name as MethodName));
}

/** What `schemaWith` judges, where it may have a method itself in the place of its name. */
export function carryingMethod<T>(schemaWith: (methods: FormulaMethods) => z.ZodType<T>): z.ZodType<T> {
  const plain = schemaWith(new Map());
  return z.unknown().transform((found, { issues }) => {
    const refuse = (faults: readonly z.core.$ZodIssue[], at: readonly PropertyKey[] = []): never => {
      issues.push(...faults.map((fault) => ({ ...fault, path: [...at, ...fault.path] }) as never));
      return z.NEVER;
    };
    const isCarried = typeof found === "object" && found !== null && "method" in found && isMapping(found.method);
    const own = isCarried ? formulaMethodSchema.safeParse(found.method, asked) : undefined;
    if (own?.success === false) return refuse(own.error.issues, ["method"]);
    const parsed = own
      ? schemaWith(new Map([[own.data.name, own.data]])).safeParse(
          { ...(found as object), method: own.data.name },
          asked,
        )
      : plain.safeParse(found, asked);
    return parsed.success ? parsed.data : refuse(parsed.error.issues);
  });
}

const asked = { error: expectation, reportInput: true };

function isMapping(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
