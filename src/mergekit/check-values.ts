/** Values that the method of a recipe cannot have, found where they stand in it. */
import type { z } from "zod";
import { UserError } from "../errors.ts";
import { mergekitDeclaration, takenBy } from "./methods.ts";
import { checkValue } from "./method-step.ts";
import type { Scalar, Setting, Settings } from "./settings.ts";

type Path = readonly PropertyKey[];

/** Reports each value that is none of its parameter; those of parameters that the method does not have are ignored. */
export function checkValues({ value: recipe, issues }: z.core.ParsePayload<{ readonly merge_method: string }>): void {
  const method = recipe.merge_method;
  const taken = takenBy(method);
  for (const [path, settings] of settingsIn(recipe, [])) {
    for (const [name, setting] of Object.entries(settings)) {
      if (!Object.hasOwn(taken, name) || taken[name]?.isWithoutEffect) continue;
      for (const [place, value] of scalarsIn(setting, [...path, name])) {
        const message = whyNot(method, name, value);
        if (message !== undefined) issues.push({ code: "custom", input: value, path: [...place], message });
      }
    }
  }
}

function whyNot(method: string, name: string, value: Scalar): string | undefined {
  try {
    // What has a base takes the same values.
    checkValue(method === "passthrough" ? undefined : mergekitDeclaration(method, true), name, value);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message.slice(`${name}: `.length);
    throw error;
  }
}

/** All mappings of parameters, each with its place. */
function* settingsIn(value: unknown, path: Path): Iterable<readonly [Path, Settings]> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    if (key === "parameters") yield [at, (inner ?? {}) as Settings];
    else yield* settingsIn(inner, at);
  }
}

function* scalarsIn(setting: Setting, path: Path): Iterable<readonly [Path, Scalar]> {
  if (typeof setting !== "object") yield [path, setting];
  else if ("value" in setting) yield* scalarsIn(setting.value, [...path, "value"]);
  else for (const [i, inner] of setting.entries()) yield* scalarsIn(inner, [...path, i]);
}
