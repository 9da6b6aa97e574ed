import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openGgml } from "../../src/device/ggml/engine.ts";
import type { MethodName } from "../../src/merge/declarations.ts";
import type { Options } from "../../src/merge/method.ts";
import type { Shape } from "../../src/tensor/dtype.ts";
import { mergeOn, valuesOf } from "./merge-on.ts";
import type { Stored } from "./reference-merge.ts";

interface MatrixCase {
  readonly method: MethodName;
  readonly values: Readonly<Record<string, number | readonly number[]>>;
  readonly options: Options;
  readonly shape: Shape;
  readonly base: string;
  readonly experts: readonly string[];
  readonly merged: string;
}

const fixture = join(import.meta.dirname, "..", "fixtures", "merge", "matrices.json");
const cases = JSON.parse(readFileSync(fixture, "utf8")) as MatrixCase[];

function stored(base64: string): Stored {
  return { dtype: "f32", bytes: new Uint8Array(Buffer.from(base64, "base64")) };
}

test.each(cases)("$method of $shape with $values and $options is that of mergekit", async (given) => {
  await using device = await openGgml({ backend: "cpu" });
  const { method, options, shape } = given;
  const experts = Object.fromEntries(given.experts.map((own, i) => [`expert ${i}`, stored(own)]));
  const values = Object.entries(given.values).map(([name, value]) => [
    name,
    Array.isArray(value) ? value : given.experts.map(() => value),
  ]);
  const step = { method, values: Object.fromEntries(values) as Record<string, number[]>, options };
  const merged = await mergeOn(device, { shape, base: stored(given.base), experts }, step);
  const expected = valuesOf(stored(given.merged));
  const apart = valuesOf({ dtype: "f32", bytes: merged }).map((value, i) => Math.abs(value - expected[i]!));
  expect(Math.max(...apart)).toBeLessThanOrEqual(1e-6 * Math.max(...expected.map(Math.abs)));
});
