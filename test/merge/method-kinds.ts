import { declarations, methodNames } from "../../src/merge/declarations.ts";

/** Methods whose factors follow from lengths and angles of the parents. */
export const combinations = methodNames.filter((name) => declarations[name].needs?.gram);

/** Methods of which all that they take may differ among input columns. */
export const methodsByColumn = methodNames.filter((name) => {
  const { derive, parameters } = declarations[name];
  return !derive && parameters.some(({ isWhole }) => !isWhole);
});

/** Methods that are told more of the parents than their elements. */
export const methodsOfFacts = methodNames.filter((name) => declarations[name].derive ?? declarations[name].needs);
