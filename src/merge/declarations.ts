import { isDeepStrictEqual } from "node:util";
import { declare, type FormulaMethod } from "./formula-method.ts";
import type { AnyDeclaration, MethodDeclaration } from "./method.ts";
import { arceeFusion } from "./methods/arcee-fusion.ts";
import { linearMethods } from "./methods/linear.ts";
import { modelStock } from "./methods/model-stock.ts";
import { nearswap } from "./methods/nearswap.ts";
import { sce } from "./methods/sce.ts";
import { sphericalMethods } from "./methods/spherical.ts";
import { taskVectorMethods } from "./methods/task-vectors.ts";

export type MethodName =
  | keyof typeof linearMethods
  | keyof typeof taskVectorMethods
  | keyof typeof sphericalMethods
  | keyof typeof modelStock
  | keyof typeof nearswap
  | keyof typeof arceeFusion
  | keyof typeof sce;

/** Every merge method by the name that search spaces and recipes use; `methods/` has a file for each family. */
export const declarations: Readonly<Record<MethodName, MethodDeclaration>> = {
  ...linearMethods,
  ...taskVectorMethods,
  ...sphericalMethods,
  ...modelStock,
  ...nearswap,
  ...arceeFusion,
  ...sce,
};

/** The names of all merge methods, in the order that help lists them. */
export const methodNames: readonly MethodName[] = Object.keys(declarations) as MethodName[];

/** A method by its name, or one that is no other's, as data. */
export type MergeMethod = MethodName | FormulaMethod;

/** What a method is, takes and computes. */
export function declarationOf(method: MergeMethod): AnyDeclaration {
  return typeof method === "string" ? declarations[method] : declare(method);
}

/** What a method is called, or a recipe of any other kind. */
export function methodName(method: string | FormulaMethod): string {
  return typeof method === "string" ? method : method.name;
}

/** Whether two recipes or search spaces are of one method, so that coefficients of one mean the same in the other. */
export function isSameMethod(one: MergeMethod, other: MergeMethod): boolean {
  return isDeepStrictEqual(one, other);
}
