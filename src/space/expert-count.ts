import { declarationOf, type MergeMethod, methodName } from "../merge/declarations.ts";

/** Why a method does not merge so many experts, or undefined where it does. */
export function whyNotMerged(method: MergeMethod, count: number): string | undefined {
  const { experts } = declarationOf(method);
  const { least = 1, most = Number.POSITIVE_INFINITY } = experts ?? {};
  if (count >= least && count <= most) return undefined;
  const expected = least === most ? `${least} expert${least === 1 ? "" : "s"}` : `at least ${least} experts`;
  return `the method ${methodName(method)} merges ${expected}, and there ${count === 1 ? "is 1" : `are ${count}`}; take other experts, or another method`;
}
