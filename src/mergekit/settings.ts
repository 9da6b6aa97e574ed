/** Parameters in mergekit's files: a value, a gradient over the layers of a slice, or values by parts of the names of tensors. */
import { z } from "zod";
import { UserError } from "../errors.ts";

export type Scalar = number | boolean | string;
type Values = Scalar | readonly Scalar[];

/** What a tensor takes whose name contains `filter`; without one, or for `*`, what any takes. */
interface Condition {
  readonly filter?: string | undefined;
  readonly value: Values;
}

export type Setting = Values | Condition | readonly Condition[];
/** By parameter. */
export type Settings = Readonly<Record<string, Setting>>;

const scalarSchema = z.union([z.number("a finite number"), z.boolean(), z.string()]);
const valuesSchema: z.ZodType<Values> = z.union([scalarSchema, z.array(scalarSchema).min(1)]);
const conditionSchema: z.ZodType<Condition> = z.strictObject({ filter: z.string().optional(), value: valuesSchema });

export const settingsSchema: z.ZodType<Settings> = z.record(
  z.string(),
  z.union([valuesSchema, conditionSchema, z.array(conditionSchema).min(1)]),
);

/** Where a setting is looked up. */
export interface SettingPlace {
  /** Name of the tensor. */
  readonly tensor: string;
  /** Where in its slice, from 0 at the first layer to 1 at the last. */
  readonly t: number;
}

/** The value at a place in the first of the mappings that has one for it, such as those of a source, its slice and the file. */
export function lookUp(
  parameter: string,
  scopes: readonly (Settings | undefined)[],
  place: SettingPlace,
): Scalar | undefined {
  for (const scope of scopes) {
    const setting = scope && Object.hasOwn(scope, parameter) ? scope[parameter] : undefined;
    const value = setting === undefined ? undefined : valueAt(setting, place);
    if (value !== undefined) return value;
  }
  return undefined;
}

function valueAt(setting: Setting, { tensor, t }: SettingPlace): Scalar | undefined {
  const met = conditionsOf(setting).find(
    ({ filter }) => filter === undefined || filter === "*" || tensor.includes(filter),
  );
  return met && between(met.value, t);
}

function conditionsOf(setting: Setting): readonly Condition[] {
  if (typeof setting !== "object") return [{ value: setting }];
  if (!Array.isArray(setting)) return [setting as Condition];
  const isList = setting.some((item) => typeof item === "object");
  return isList ? (setting as readonly Condition[]) : [{ value: setting as readonly Scalar[] }];
}

/** The number that a text stands for: PyYAML reads 1e-3 as a text, so that files may have numbers in quotes. */
export function numberIn(value: Scalar | undefined): Scalar | undefined {
  if (typeof value !== "string" || value.trim() === "") return value;
  const number = Number(value);
  return Number.isNaN(number) ? value : number;
}

/** What YAML 1.1 reads as true and false, which mergekit writes as 1.0 and 0.0. A UserError for anything else. */
export function booleanOf(name: string, value: Scalar | undefined): boolean {
  const found = numberIn(typeof value === "string" ? value.toLowerCase() : value);
  if (typeof found === "boolean") return found;
  if (found === 1 || found === "true" || found === "yes" || found === "on") return true;
  if (found === 0 || found === "false" || found === "no" || found === "off") return false;
  throw new UserError(`${name}: expected true or false, found ${JSON.stringify(value) ?? "nothing"}`);
}

/** Numbers stand for straight lines between them, at even distances; of other values each has its part of the way. */
function between(values: Values, t: number): Scalar | undefined {
  if (!Array.isArray(values)) return values as Scalar;
  const list = values as readonly Scalar[];
  const way = t * (list.length - 1);
  const before = Math.floor(way);
  const [low, high = low] = list.slice(before, before + 2).map(numberIn);
  if (typeof low !== "number" || typeof high !== "number") return low;
  return low + (way - before) * (high - low);
}
