import type { MethodDeclaration } from "./method.ts";
import { linearMethods } from "./methods/linear.ts";

export type MethodName = keyof typeof linearMethods;

/** Every merge method by the name that search spaces and recipes use; `methods/` has a file for each family. */
export const declarations: Readonly<Record<MethodName, MethodDeclaration>> = { ...linearMethods };

/** The names of all merge methods, in the order that help lists them. */
export const methodNames: readonly MethodName[] = Object.keys(declarations) as MethodName[];
