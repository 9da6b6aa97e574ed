import type { Dual } from "./dual.ts";
import type { ParentFacts, Needs } from "./facts.ts";
import { type Formula, formulaText, partsOf, theBase } from "./formula.ts";

/** Unit of shares of a tensor's elements, such as densities, in a search. */
export const SHARE_UNIT = 0.001;

/** One number that a merge method takes: what the genome varies, validation checks and help prints. */
export interface ParameterSpec {
  readonly name: string;
  /** Whether each expert has its own value, or one value serves the whole merge. */
  readonly per: "expert" | "model";
  /** Lowest and highest value that a search visits unless its search space says otherwise. */
  readonly range: readonly [number, number];
  /** Where a search starts; "uniform" is 1 / number of experts. */
  readonly start: number | "uniform";
  /** Beyond these the method is not defined. */
  readonly limits?: readonly [number, number];
  /** Whether it is of the tensor as a whole, and has no values by column. */
  readonly isWhole?: true;
  /** Whether it only decides which elements take part, so that all derivatives by it are 0: searches by gradient leave it where it starts. */
  readonly isDeciding?: true;
  /** What its values in a search are multiples of. */
  readonly unit?: number;
  readonly summary: string;
}

/** What a recipe may turn on or off, or a number, for all weights alike. */
export interface OptionSpec {
  readonly name: string;
  /** Of the type that its values have. */
  readonly default: boolean | number;
  /** Of a number. */
  readonly limits?: readonly [number, number];
  /** Whether a number is whole. */
  readonly isInteger?: true;
  /** Whether it tells what mergekit does and cannot be told, so that it is on where a merge is to be mergekit's. */
  readonly isMergekits?: true;
  readonly summary: string;
}

/** By the option's name. */
export type Options = Readonly<Record<string, boolean | number>>;

/** What a merge method is, takes and computes; all that depends on the method follows from it. */
export interface MethodDeclaration {
  readonly name: string;
  /** The paper that introduced the method. */
  readonly source: string;
  readonly formula: (options: Options) => Formula;
  /** The formula in words. */
  readonly summary: string;
  /** Whether the formula has the base in it. */
  readonly needsBase: boolean;
  /** Those in the formula, and those that what `derive` makes follows from. */
  readonly parameters: readonly ParameterSpec[];
  readonly options?: readonly OptionSpec[];
  /** Numbers of the formula that follow from the parameters and what is known of the parents. */
  readonly derive?: Derivation;
  readonly needs?: Needs;
  /** How many experts it merges; any number unless given. */
  readonly experts?: { readonly least: number; readonly most?: number };
  readonly mergekit: MergekitWords;
}

/** What is known of any method, which mergekit may lack. */
export type AnyDeclaration = Omit<MethodDeclaration, "mergekit">;

/** How mergekit is made to compute the formula. */
export interface MergekitWords {
  /** Its method, where that has another name. */
  readonly method?: string;
  readonly parameters: Readonly<Record<string, number | boolean>>;
  /** Where it merges differences from the base as soon as it is told of one, and the formula does not. */
  readonly isWithoutBase?: boolean;
}

/** Numbers that a method makes for its formula at a weight. */
export interface Derivation {
  readonly numbers: readonly Pick<ParameterSpec, "name" | "per">[];
  /** Each in the order of the experts: one of the whole merge is the same at each. With derivatives by the parameters, where they have any. */
  readonly make: (known: Known) => Readonly<Record<string, readonly Dual[]>>;
}

/** What numbers of a formula are made of. */
export interface Known {
  readonly facts: ParentFacts;
  /** The values of each parameter that is one number for the weight, in the order of the experts. */
  readonly values: Readonly<Record<string, readonly Dual[]>>;
  readonly options: Options;
}

/** The part of a declaration that follows from its formula. */
export function computing(formula: Formula): Pick<MethodDeclaration, "formula" | "summary" | "needsBase"> {
  return { formula: () => formula, summary: formulaText(formula), needsBase: partsOf(formula).includes(theBase) };
}

/** All options of a method, as a recipe says or else by default. */
export function optionsOf({ options = [] }: Pick<MethodDeclaration, "options">, given: Options = {}): Options {
  return Object.fromEntries(options.map(({ name, default: usual }) => [name, given[name] ?? usual]));
}

/** What a value of an option is to be, where that is no such one; else undefined. */
export function whyNoOption({ default: usual, limits, isInteger }: OptionSpec, value: unknown): string | undefined {
  if (typeof usual === "boolean") return typeof value === "boolean" ? undefined : "true or false";
  const [least, most] = limits ?? [-Infinity, Infinity];
  const isFit = typeof value === "number" && value >= least && value <= most && (!isInteger || Number.isInteger(value));
  return isFit ? undefined : `${isInteger ? "a whole number" : "a number"} from ${least} to ${most}`;
}

/** Whether a recipe of the method has a seed. */
export function isRandom({ needs }: Pick<MethodDeclaration, "needs">): boolean {
  return needs?.leaves?.some((own) => own.isRandom) ?? false;
}
