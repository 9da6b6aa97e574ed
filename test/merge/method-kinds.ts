import { declarations, methodNames } from "../../src/merge/declarations.ts";

/** Methods whose factors follow from lengths and angles of the parents. */
export const combinations = methodNames.filter((name) => declarations[name].combine);

/** Methods of which each input column may have coefficients of its own. */
export const methodsByColumn = methodNames.filter((name) => !declarations[name].combine);
