/** What holds of every merge method by its declaration alone. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { declarationOf, type MergeMethod, methodName, methodNames } from "../../src/merge/declarations.ts";
import { isRandom, type Options, type ParameterSpec } from "../../src/merge/method.ts";
import type { MergeStep } from "../../src/merge/recipe.ts";
import { type Dtype, elementCount, type Shape } from "../../src/tensor/dtype.ts";
import { fromFloat32 } from "../../src/tensor/half.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { testedEngines } from "../device/tested-engines.ts";
import { consensus } from "./formula-methods.ts";
import { type Family, mergeOn, valuesOf } from "./merge-on.ts";

/** Powers of the weights that what a merge adds to its origin is proportional to: 0 where only their proportions count. */
const degrees: Readonly<Partial<Record<string, 0 | 1>>> = {
  linear: 1,
  task_arithmetic: 1,
  ties: 0,
  dare_linear: 1,
  dare_ties: 1,
  breadcrumbs: 1,
  breadcrumbs_ties: 1,
  della: 0,
  della_linear: 1,
  nuslerp: 0,
  task_nuslerp: 0,
  multislerp: 0,
  task_multislerp: 0,
  [consensus.name]: 1,
};

interface MethodCase {
  readonly name: string;
  readonly method: MergeMethod;
  readonly options: Options;
}

/** Every method with every setting of its options, and one of a plugin. */
const cases = [...methodNames, consensus].flatMap((method): MethodCase[] => {
  const { options = [] } = declarationOf(method);
  const settings = options.reduce<Options[]>(
    (all, { name, default: usual }) =>
      all.flatMap((own) => settingsOf(usual).map((value) => ({ ...own, [name]: value }))),
    [{}],
  );
  return settings.map((own) => ({ name: methodName(method), method, options: own }));
});

function settingsOf(usual: boolean | number): readonly (boolean | number)[] {
  return typeof usual === "boolean" ? [false, true] : [usual, 0];
}

const shapes: readonly Shape[] = [[7, 33], [50], [64, 3]];

/** A base and what experts add to it, all of one dtype. */
function family(
  method: MergeMethod,
  seed: number,
  { shape = shapes[0]!, dtype = "f32" }: { readonly shape?: Shape; readonly dtype?: Dtype } = {},
): Family {
  const { least = 1, most = 3 } = declarationOf(method).experts ?? {};
  const stream = RandomStream.of(seed, methodName(method));
  const draw = (scale: number, from?: Float32Array): Float32Array =>
    Float32Array.from({ length: elementCount(shape) }, (_, k) => (from?.[k] ?? 0) + scale * stream.normal());
  const base = draw(0.1);
  const shared = draw(0.01, base);
  const count = Math.max(least, Math.min(most, 3));
  const experts = Array.from({ length: count }, (_, i) => [`expert ${i}`, stored(draw(0.02, shared), dtype)] as const);
  return { shape, base: stored(base, dtype), experts: Object.fromEntries(experts) };
}

function stored(values: Float32Array, dtype: Dtype): Family["base"] {
  return { dtype, bytes: fromFloat32(values, dtype) };
}

/** A step with values inside the ranges: those that decide over elements are where a search starts. */
function stepFor(
  { method, options }: Pick<MethodCase, "method" | "options">,
  { experts }: Family,
  seed = 1,
): MergeStep {
  const stream = RandomStream.of(seed, `values of ${methodName(method)}`);
  const count = Object.keys(experts).length;
  const valueOf = ({ start, range: [low, high], unit }: ParameterSpec): number => {
    if (unit !== undefined) return start === "uniform" ? 1 / count : start;
    return low + (0.2 + 0.6 * stream.uniform()) * (high - low);
  };
  const values = declarationOf(method).parameters.map((spec) => {
    const one = valueOf(spec);
    return [spec.name, Array.from({ length: count }, () => (spec.per === "model" ? one : valueOf(spec)))];
  });
  const own = { method, options, values: Object.fromEntries(values) as MergeStep["values"] };
  return isRandom(declarationOf(method)) ? { ...own, seed } : own;
}

function withValues(
  step: MergeStep,
  change: (values: readonly number[], name: string) => readonly number[],
): MergeStep {
  const values = Object.entries(step.values).map(([name, own]) => [name, change(own.map(Number), name)]);
  return { ...step, values: Object.fromEntries(values) as MergeStep["values"] };
}

function largestOf(values: Iterable<number>): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}

function apart(x: Uint8Array, y: Uint8Array): number {
  const [one, other] = [x, y].map((bytes) => valuesOf({ dtype: "f32", bytes }));
  return largestOf(one!.map((value, k) => value - other![k]!));
}

const devices: Device[] = [];
beforeAll(async () => {
  for (const [, open] of testedEngines) devices.push(await open());
});
afterAll(async () => {
  for (const device of devices) await device[Symbol.asyncDispose]();
});

function merge(own: Family, step: MergeStep): Promise<Uint8Array> {
  return mergeOn(devices[0]!, own, step);
}

describe.each(cases)("$name with $options", (given) => {
  const { name, method, options } = given;
  const declaration = declarationOf(method);
  test("has the same bits on all engines", async () => {
    for (const shape of shapes) {
      for (const dtype of ["f32", "bf16"] as const) {
        const own = family(method, 2, { shape, dtype });
        const step = stepFor(given, own);
        const merged = await Promise.all(devices.map((device) => mergeOn(device, own, step)));
        for (const other of merged) expect(other).toEqual(merged[0]);
        expect(largestOf(valuesOf({ dtype, bytes: merged[0]! }))).toBeLessThan(10);
      }
    }
  });

  // Weights that are no shares change the length.
  const isScaled = method === "linear" || (method === "multislerp" && !options["normalize_weights"]);
  test.skipIf(isScaled)("of equal parents is that parent, bit for bit", async () => {
    for (const dtype of ["f32", "f16", "bf16"] as const) {
      const own = family(method, 3, { dtype });
      const experts = Object.fromEntries(Object.keys(own.experts).map((name) => [name, own.base]));
      expect(await merge({ ...own, experts }, stepFor(given, own))).toEqual(own.base.bytes);
    }
  });

  test("reads the base only where it declares so", async () => {
    const own = family(method, 4);
    const step = stepFor(given, own);
    const { base } = family(method, 5);
    const same = Buffer.compare(await merge(own, step), await merge({ ...own, base }, step)) === 0;
    expect(same).toBe(!declaration.needsBase);
  });

  test("does not depend on the order of the experts", async () => {
    const own = family(method, 6);
    const step = stepFor(given, own);
    const experts = Object.fromEntries(Object.entries(own.experts).toReversed());
    const turned = withValues(step, (values) => values.toReversed());
    expect(apart(await merge(own, step), await merge({ ...own, experts }, turned))).toBeLessThan(1e-6);
  });

  test("draws by its seed where it is random", async () => {
    const own = family(method, 7);
    const step = stepFor(given, own);
    const again = Buffer.compare(await merge(own, step), await merge(own, step));
    const other = Buffer.compare(await merge(own, step), await merge(own, { ...step, seed: 99 }));
    expect([again === 0, other === 0]).toEqual([true, !isRandom(declaration)]);
  });

  test.skipIf(!declaration.parameters.some(({ name }) => name === "weight"))("scales with its weights", async () => {
    const own = family(method, 8);
    const step = stepFor(given, own);
    const doubled = withValues(step, (values, name) => (name === "weight" ? values.map((value) => 2 * value) : values));
    const [once, twice] = [valuesOf32(await merge(own, step)), valuesOf32(await merge(own, doubled))];
    const origin = declaration.needsBase ? valuesOf(own.base) : new Float32Array(once.length);
    const found = [0, 1].filter((degree) => {
      const gaps = once.map((value, k) => origin[k]! + 2 ** degree * (value - origin[k]!) - twice[k]!);
      return largestOf(gaps) < 1e-6;
    });
    const isMean = options["normalize"] ?? options["normalize_weights"] ?? degrees[name] === 0;
    expect(found).toEqual([name in degrees ? (isMean ? 0 : 1) : Number.NaN]);
  });
});

function valuesOf32(bytes: Uint8Array): Float32Array {
  return valuesOf({ dtype: "f32", bytes });
}
