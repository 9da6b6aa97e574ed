import { z } from "zod";
import { exactlyOneKey } from "../config/exactly-one-key.ts";
import { declarationOf, type MergeMethod, methodName, methodNames } from "../merge/declarations.ts";
import { type FormulaMethods, methodSchemaWith } from "../merge/formula-method-schema.ts";
import { isRandom, type Options, type OptionSpec, type ParameterSpec } from "../merge/method.ts";
import { MAX_VALUE } from "../merge/recipe.ts";
import { groupKinds, stackGroups } from "../model/architectures.ts";
import type { Depth } from "./depth-curve.ts";

/** What a search varies: the parameters of a merge method, each over groups of tensors and over the depth. */
export interface SearchSpace {
  readonly method: MergeMethod;
  /** Sets of tensor groups that share their coefficients, each group in exactly one set; or every kind of tensors has its own. */
  readonly groups: readonly (readonly string[])[] | "tensors";
  readonly depth: Depth;
  /** Whether every input column of every weight has a deviation of its own from what the curves say, which only gradients can search. */
  readonly columns?: boolean;
  /** Those of the method that are not as usual. */
  readonly options?: Options;
  /** Of a method that draws: what it drops at random. */
  readonly seed?: number;
  /** Every parameter of the method. */
  readonly parameters: Readonly<Record<string, ParameterSpace>>;
}

/** The values of one parameter, in units of the parameter. */
export interface ParameterSpace {
  readonly range: readonly [number, number];
  readonly start: number | "uniform";
  /** Initial standard deviation; without it 0.1, less where the genome is large. */
  readonly sigma?: number;
}

/** What sets may list: a kind is its group in every stack. */
const groupNames = [...groupKinds, ...Object.values(stackGroups).flat()];

const MIN_WIDTH = 1e-6;
/** As a part of the range. */
const MIN_SIGMA = 1e-6;

const termsSchema = z.int().min(2).max(1000);

const depthSchema = z
  .union([
    z.enum(["constant", "per-layer"]),
    exactlyOneKey({ dct: termsSchema, knots: termsSchema, blocks: termsSchema }),
  ])
  .transform((depth): Depth =>
    typeof depth === "string" ? { curve: depth } : { curve: depth.key, terms: depth.value },
  )
  .describe("how coefficients vary over the layers: constant, per-layer, or a curve of a few terms");

const groupsSchema = z
  .union([
    z.enum(["all", "tensors"]),
    z
      .array(z.array(z.enum(groupNames)).min(1))
      .min(1)
      .check(checkGroups),
  ])
  .transform((groups) => (groups === "all" ? [groupKinds] : groups))
  .describe(
    "sets of tensor groups that share their coefficients, where embedding is the token embedding and the output head, and encoder.attention that of the encoder alone; or tensors: coefficients of its own for every kind of tensors, such as q_proj",
  );

/** Merges take weights of about 1; beyond these, sums and steps lose their digits. */
const value = z.number().min(-MAX_VALUE).max(MAX_VALUE);

const parameterSchema = z.strictObject({
  range: z
    .tuple([value, value], "a list of two numbers")
    .refine(([low, high]) => low < high, {
      abort: true,
      error: ({ input }) => `expected the lower end before the higher one, found ${JSON.stringify(input)}`,
    })
    .refine(([low, high]) => high - low >= MIN_WIDTH, {
      abort: true,
      error: ({ input }) => `expected ends at least ${MIN_WIDTH} apart, found ${JSON.stringify(input)}`,
    })
    .optional()
    .describe("lowest and highest value"),
  start: z
    .union([value, z.literal("uniform")])
    .optional()
    .describe("first value; uniform is 1 / number of experts"),
  sigma: z.number().positive().optional().describe("initial standard deviation, in units of the parameter"),
});

type GivenParameter = z.output<typeof parameterSchema>;
type GivenParameters = Readonly<Record<string, GivenParameter | undefined>>;
type GivenFile = {
  readonly method: MergeMethod;
  readonly columns?: boolean;
  readonly options?: Options;
  readonly seed?: number;
  readonly parameters: GivenParameters;
};

/** Every parameter of any method; which of them the method at hand takes is checked afterwards. */
function parametersSchemaWith(methods: FormulaMethods): z.ZodType<GivenParameters> {
  const all = [...methodNames, ...methods.values()].flatMap((method) => declarationOf(method).parameters);
  return z.strictObject(Object.fromEntries(all.map(({ name }) => [name, parameterSchema]))).partial();
}

/** Every option of any method, as for parameters. */
export const optionsSchema: z.ZodType<Options> = z
  .strictObject(
    Object.fromEntries(
      methodNames
        .flatMap((method) => declarationOf(method).options ?? [])
        .map((spec) => [spec.name, optionSchema(spec)]),
    ),
  )
  .partial()
  .transform((given) => given as Options)
  .describe("what the method's own options are replaced with");

function optionSchema({ default: usual, limits, isInteger, summary }: OptionSpec): z.ZodType<boolean | number> {
  if (typeof usual === "boolean") return z.boolean();
  const [least, most] = limits ?? [-Infinity, Infinity];
  return (isInteger ? z.int() : z.number()).min(least).max(most).describe(summary);
}

export const seedSchema: z.ZodType<number> = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)
  .describe("of a method that drops elements at random: which ones; 0 unless given");

/** A search-space file, as it is written and as it is used, where plugins provide these methods. */
export const searchSpaceSchemaWith = (methods: FormulaMethods = new Map()) =>
  z
    .strictObject({
      method: methodSchemaWith(methods).describe("merge method"),
      groups: groupsSchema,
      depth: depthSchema,
      columns: z
        .boolean()
        .exactOptional()
        .describe(
          "whether every input column of every tensor has a coefficient of its own beside those; needs gradients",
        ),
      options: optionsSchema.exactOptional(),
      seed: seedSchema.exactOptional(),
      parameters: parametersSchemaWith(methods)
        .default({})
        .describe("what the method's own ranges and starts are replaced with"),
    })
    .check(checkParameters, checkSearchable, checkOptions)
    .transform((file) => ({
      ...file,
      ...(isRandom(declarationOf(file.method)) && { seed: file.seed ?? 0 }),
      parameters: Object.fromEntries(
        declarationOf(file.method).parameters.map((spec) => [
          spec.name,
          withDefaults(spec, file.parameters[spec.name]),
        ]),
      ),
    }));

function checkGroups({ value: sets, issues }: z.core.ParsePayload<string[][]>): void {
  const given = sets.flat();
  for (const kind of groupKinds) {
    const parts = stackGroups[kind] ?? [];
    // Either the kind, or all that it is in models of several stacks.
    const names = given.includes(kind) || !parts.some((part) => given.includes(part)) ? [kind] : parts;
    for (const name of [kind, ...parts]) {
      const count = given.filter((group) => group === name).length;
      if (count === (names.includes(name) ? 1 : 0)) continue;
      const times = count === 1 ? `twice, as ${kind} and as ${name}` : `${count} times`;
      const message = count === 0 ? `the group "${name}" is missing` : `the group "${name}" is listed ${times}`;
      issues.push({ code: "custom", input: sets, message: `${message}; list each of ${groupKinds.join(", ")} once` });
    }
  }
}

/** What the method leaves to be searched. */
function checkSearchable({ value: { method, columns }, issues }: z.core.ParsePayload<GivenFile>): void {
  const { parameters } = declarationOf(method);
  if (parameters.length === 0) {
    const message = `the method ${methodName(method)} has no parameters to search; give it as one of the experiment's recipes, and search another`;
    issues.push({ code: "custom", input: method, path: ["method"], message });
  } else if (columns && parameters.every(({ isWhole }) => isWhole)) {
    const message = `the method ${methodName(method)} merges a tensor as a whole, and has no coefficients by column; leave columns out`;
    issues.push({ code: "custom", input: columns, path: ["columns"], message });
  }
}

/** Options and a seed of another method would change nothing. */
function checkOptions({ value, issues }: z.core.ParsePayload<GivenFile>): void {
  for (const { path, message } of optionFaults(value)) issues.push({ code: "custom", input: value, path, message });
}

/** What a file gives for a method that takes no such option, or draws nothing. */
export function* optionFaults({
  method,
  options = {},
  seed,
}: Pick<GivenFile, "method" | "options" | "seed">): Generator<{ readonly path: string[]; readonly message: string }> {
  const declaration = declarationOf(method);
  const known = (declaration.options ?? []).map(({ name }) => name);
  for (const name of Object.keys(options).filter((given) => !known.includes(given))) {
    const has = known.length === 0 ? "takes no options" : `has no such option; it has ${known.join(", ")}`;
    yield { path: ["options", name], message: `the method ${methodName(method)} ${has}` };
  }
  if (seed !== undefined && !isRandom(declaration))
    yield { path: ["seed"], message: `the method ${methodName(method)} draws nothing at random; leave seed out` };
}

function checkParameters({ value: { method, parameters }, issues }: z.core.ParsePayload<GivenFile>): void {
  const { parameters: specs, needsBase, derive } = declarationOf(method);
  for (const [name, given] of Object.entries(parameters)) {
    const report = (key: string[], message: string): void => {
      issues.push({ code: "custom", input: given, path: ["parameters", name, ...key], message });
    };
    const spec = specs.find((candidate) => candidate.name === name);
    if (spec === undefined) {
      report(
        [],
        `the method ${methodName(method)} has no such parameter; it has ${specs.map((known) => known.name).join(", ")}`,
      );
      continue;
    }
    const { range, start, sigma } = withDefaults(spec, given);
    const [low, high] = range;
    const [least, most] = spec.limits ?? range;
    if (low < least || high > most) {
      report(["range"], `expected a range within ${least} to ${most}, as ${name} is defined, found ${low} to ${high}`);
    }
    if (typeof start === "number" && (start < low || start > high)) {
      report(["start"], `expected a start in the range ${low} to ${high}, found ${start}`);
    }
    // Its derivatives are all 0, too.
    if (start === 0 && !needsBase && !derive) {
      report(
        ["start"],
        `expected another start than 0, at which a ${methodName(method)} merge is a model of zeros, found 0; uniform is 1 / number of experts`,
      );
    }
    if (sigma !== undefined && sigma > (high - low) / 3) {
      report(["sigma"], `expected at most a third of the range ${low} to ${high}, found ${sigma}`);
    }
    if (sigma !== undefined && sigma < (high - low) * MIN_SIGMA) {
      report(["sigma"], `expected at least a millionth of the range ${low} to ${high}, found ${sigma}`);
    }
  }
}

function withDefaults({ range, start }: ParameterSpec, given: GivenParameter = {}): ParameterSpace {
  return {
    range: given.range ?? range,
    start: given.start ?? start,
    ...(given.sigma === undefined ? {} : { sigma: given.sigma }),
  };
}
