/** Search spaces of either kind: coefficients of a merge method, or stacks of layers. */
import { z } from "zod";
import { loadYaml } from "../config/load-yaml.ts";
import { shippedFile } from "../config/shipped-file.ts";
import type { FormulaMethods } from "../merge/formula-method-schema.ts";
import type { Model } from "../model/architecture.ts";
import { buildGenome, type Genome } from "./genome.ts";
import { type SearchSpace, searchSpaceSchemaWith } from "./search-space.ts";
import { buildStackGenome } from "./stack-genome.ts";
import { type StackSpace, stackSpaceSchema } from "./stack-space.ts";

export type AnySpace = SearchSpace | StackSpace;

/** A space of either kind, where plugins provide these methods. */
export const anySpaceSchemaWith = (methods: FormulaMethods = new Map()) =>
  z.discriminatedUnion("method", [searchSpaceSchemaWith(methods), stackSpaceSchema]);

/** Reads a search-space file, or the shipped one of a name; faults are errors at their line and column. */
export async function loadSpace(given: string, methods?: FormulaMethods): Promise<AnySpace> {
  return loadYaml(shippedFile(given, "", "search space") ?? given, anySpaceSchemaWith(methods));
}

/** Lays the genes of a search space out for the given parents. */
export function genomeOf(
  space: AnySpace,
  { base, experts, model }: { readonly base: string; readonly experts: readonly string[]; readonly model: Model },
): Genome {
  return space.method === "stack"
    ? buildStackGenome(space, { models: [base, ...experts], model })
    : buildGenome(space, { experts, model });
}
