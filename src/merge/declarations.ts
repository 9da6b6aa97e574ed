import type { MethodDeclaration } from "./method.ts";
import { linearMethods } from "./methods/linear.ts";
import { modelStock } from "./methods/model-stock.ts";
import { sphericalMethods } from "./methods/spherical.ts";
import { taskVectorMethods } from "./methods/task-vectors.ts";

export type MethodName =
  | keyof typeof linearMethods
  | keyof typeof taskVectorMethods
  | keyof typeof sphericalMethods
  | keyof typeof modelStock;

/** Every merge method by the name that search spaces and recipes use; `methods/` has a file for each family. */
export const declarations: Readonly<Record<MethodName, MethodDeclaration>> = {
  ...linearMethods,
  ...taskVectorMethods,
  ...sphericalMethods,
  ...modelStock,
};

/** The names of all merge methods, in the order that help lists them. */
export const methodNames: readonly MethodName[] = Object.keys(declarations) as MethodName[];
