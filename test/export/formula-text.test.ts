import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formulaBody } from "../../src/export/starter-kit/formula-text.ts";
import { declarations, type MethodName, methodNames } from "../../src/merge/declarations.ts";
import { eachExpert, minus, plus, sumOverExperts, theBase, times } from "../../src/merge/formula.ts";
import { formulaParameters } from "../../src/merge/formula-numbers.ts";
import { optionsOf, type ParameterSpec } from "../../src/merge/method.ts";
import { parseFormula } from "../../src/merge/parse-formula.ts";

function parameter(name: string, per: ParameterSpec["per"]): ParameterSpec {
  return { name, per, range: [0, 1], start: 0, summary: "" };
}

function methodOf(name: MethodName): Parameters<typeof formulaBody>[0] {
  const declaration = declarations[name];
  return { formula: declaration.formula(optionsOf(declaration)), parameters: formulaParameters(declaration) };
}

test("a sum of experts is one line of Python", () => {
  expect(formulaBody(methodOf("linear"))).toMatchInlineSnapshot(`
    "    weights = coefficients("weight", group, layer)
        return functools.reduce(torch.add, (models[expert].read(name).float() * weight for expert, weight in weights))
    "
  `);
});

test("a formula with the base reads it once, and a long line is broken", () => {
  expect(formulaBody(methodOf("task_arithmetic"))).toMatchInlineSnapshot(`
    "    weights = coefficients("weight", group, layer)
        base = models["base"].read(name).float()
        return base + functools.reduce(
            torch.add, ((models[expert].read(name).float() - base) * weight for expert, weight in weights)
        )
    "
  `);
});

test("a method of several parameters and sums needs nothing but its declaration", () => {
  const difference = times(minus(eachExpert, theBase), "density");
  const method = {
    formula: plus(
      theBase,
      times(minus(sumOverExperts(times(difference, "weight")), sumOverExperts(eachExpert)), "scale"),
    ),
    parameters: [parameter("weight", "expert"), parameter("density", "expert"), parameter("scale", "model")],
  };
  expect(formulaBody(method)).toMatchInlineSnapshot(`
    "    weights = list(coefficients("weight", group, layer))
        densitys = list(coefficients("density", group, layer))
        scale = next(coefficients("scale", group, layer))[1]
        base = models["base"].read(name).float()
        return base + (functools.reduce(
            torch.add, ((models[expert].read(name).float() - base) * density * weight for (expert, weight), (_, density) in zip(weights, densitys))
        ) - functools.reduce(
            torch.add, (models[expert].read(name).float() for expert in MERGED)
        )) * scale
    "
  `);
});

test("coefficients are found by more than their group where columns have their own", () => {
  const [first] = formulaBody(methodOf("linear"), "name, group, layer").split("\n");
  expect(first).toBe('    weights = coefficients("weight", name, group, layer)');
});

test("names of a plugin's formula keep clear of Python's words, of each other and of lists", () => {
  const parameters = [parameter("weight", "expert"), parameter("lambda", "model")];
  const text = `models = weight * (expert - base)
    lambdas = lambda * 0.1
    base + sum(models * (1 - lambdas))`;
  expect(formulaBody({ formula: parseFormula(text, parameters), parameters })).toMatchInlineSnapshot(`
    "    weights = list(coefficients("weight", group, layer))
        lambda_ = next(coefficients("lambda", group, layer))[1]
        base = models["base"].read(name).float()
        modelss = [
            (models[expert].read(name).float() - base) * weight
            for expert, weight in weights
        ]
        lambdas = 0.10000000149011612 * lambda_
        return base + functools.reduce(torch.add, (models_ * (1.0 - lambdas) for models_ in modelss))
    "
  `);
});

test("a number is divided as a tensor, whose quotient PyTorch rounds once", () => {
  const parameters = [parameter("scale", "model")];
  const body = formulaBody({ formula: parseFormula("base * (0.3 / scale)", parameters), parameters });
  expect(body).toContain("return base * (torch.tensor(0.30000001192092896, dtype=torch.float32) / (1.0 * scale))");
});

/** In quotes or as a property: a word of a comment may be the name of a method, as in "the config ties them". */
function asName(name: string): RegExp {
  return new RegExp(`(["'\`]${name}["'\`]|\\.${name}\\b|\\b${name}:)`);
}

test("no export knows a method by its name", () => {
  const folder = join(import.meta.dirname, "..", "..", "src", "export");
  const texts = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => readFileSync(join(folder, path), "utf8"));
  expect(methodNames.filter((name) => texts.some((text) => asName(name).test(text)))).toEqual([]);
});
