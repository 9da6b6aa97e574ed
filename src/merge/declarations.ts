import type { MethodDeclaration } from "./method.ts";
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

/** What a method is, takes and computes. */
export function declarationOf(method: MethodName): MethodDeclaration {
  return declarations[method];
}
