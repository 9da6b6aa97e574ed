/** The parameters of mergekit's methods, which are not all ours: some are parts of our formulas, and some change nothing. */
import { declarations, type MethodName, methodNames } from "../merge/declarations.ts";
import type { MethodDeclaration } from "../merge/method.ts";
import type { Scalar } from "./settings.ts";

/** A parameter as a file may give it. */
export interface MergekitParameter {
  readonly per: "expert" | "model";
  /** What it is where a file does not say. */
  readonly default?: Scalar;
  /** Whether nothing that is computed here depends on it. */
  readonly isWithoutEffect?: boolean;
}

const shared = (value: Scalar): MergekitParameter => ({ per: "model", default: value });
const each = (value?: Scalar): MergekitParameter => ({ per: "expert", ...(value !== undefined && { default: value }) });
const noEffect = (parameter: MergekitParameter): MergekitParameter => ({ ...parameter, isWithoutEffect: true });

/** Of the methods that add up differences from a base. */
const differences = (isNormalized: boolean, isRescaled: boolean): Record<string, MergekitParameter> => ({
  weight: each(),
  density: each(1),
  normalize: shared(isNormalized),
  rescale: shared(isRescaled),
  lambda: shared(1),
  // The type of a temporary.
  int8_mask: noEffect(shared(false)),
});

const parameters: Readonly<Record<string, Readonly<Record<string, MergekitParameter>>>> = {
  linear: { weight: each(), normalize: shared(true) },
  // Nothing is sparsified, so that nothing is rescaled.
  task_arithmetic: {
    ...differences(false, false),
    density: noEffect(each(1)),
    rescale: noEffect(shared(false)),
  },
  ties: differences(true, false),
  dare_linear: differences(false, true),
  dare_ties: differences(false, true),
  breadcrumbs: { ...differences(false, false), gamma: each(0.01) },
  breadcrumbs_ties: { ...differences(false, false), gamma: each(0.01) },
  della: { ...differences(true, true), epsilon: each(0.15) },
  della_linear: { ...differences(false, true), epsilon: each(0.15) },
  slerp: { t: { per: "model" } },
  nuslerp: { weight: each(), nuslerp_flatten: shared(true), nuslerp_row_wise: shared(false) },
  multislerp: { weight: each(), normalize_weights: shared(true), eps: noEffect(shared(1e-8)) },
  karcher: { max_iter: shared(10), tol: shared(1e-5) },
  model_stock: { filter_wise: shared(false) },
  sce: { select_topk: shared(1), int8_mask: noEffect(shared(false)) },
  nearswap: { t: { per: "model" } },
  arcee_fusion: {},
  passthrough: { scale: each(1) },
};

/** Methods that take a base for one more expert. */
const baseIsExpert: ReadonlySet<string> = new Set(["linear", "karcher"]);

/** The name of one of our methods in mergekit. */
function mergekitName(method: MethodName): string {
  return declarations[method].mergekit.method ?? method;
}

/** mergekit's names of the methods that are computed here. */
export const mergekitMethods: readonly string[] = [...new Set([...methodNames.map(mergekitName), "passthrough"])];

/** Every parameter of any of mergekit's methods. */
export const mergekitParameters: readonly string[] = [...new Set(Object.values(parameters).flatMap(Object.keys))];

/** The parameters that a method of mergekit has. */
export function takenBy(method: string): Readonly<Record<string, MergekitParameter>> {
  return parameters[method] ?? {};
}

/** Whether anything that is computed here for some method depends on a parameter. */
export function hasEffect(parameter: string): boolean {
  return Object.values(parameters).some((own) => own[parameter] && !own[parameter].isWithoutEffect);
}

/** Whether a file's base is to a method of mergekit what experts are. */
export function takesBaseForExpert(method: string): boolean {
  return baseIsExpert.has(method);
}

/** Which of our methods is meant: of two that have one name there, the one for experts as they are has no base. */
export function mergekitDeclaration(
  method: string,
  hasBase: boolean,
): MethodDeclaration & { readonly name: MethodName } {
  const named = methodNames.filter((name) => mergekitName(name) === method);
  const name = named.find((own) => (declarations[own].mergekit.isWithoutBase ?? false) !== hasBase) ?? named[0];
  if (name === undefined) throw new Error(`mergekit: no method ${method}`);
  return { ...declarations[name], name };
}
