/** From an untrusted config.json to a model, and the check that a checkpoint holds that model's weights. */
import { join } from "node:path";
import { expectation } from "../config/expectation.ts";
import { faultsOf } from "../config/faults.ts";
import { UserError } from "../errors.ts";
import { sameShape, type Dtype, type Shape } from "../tensor/dtype.ts";
import { allWeights, type Model } from "./architecture.ts";
import { architectures, modelTypes } from "./architectures.ts";

/** What a checkpoint says of itself. */
export interface CheckpointHeader {
  readonly folder: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, { readonly dtype: Dtype; readonly shape: Shape }>;
  /** Tensors of types that no forward pass reads, such as I64, with these types. */
  readonly others: ReadonlyMap<string, string>;
  /** What index and files say differently of a tensor, by its name: a sentence that begins with the name of a file. */
  readonly disagreements: ReadonlyMap<string, string>;
}

/** A checkpoint as far as its model follows from it. */
type ModelSource = Pick<CheckpointHeader, "folder" | "config"> & Partial<Pick<CheckpointHeader, "tensors">>;

/** Models by their config.json, with what else each was built from: one that is opened is asked for by everyone who looks at it. */
const known = new WeakMap<object, { readonly tensors: ModelSource["tensors"]; precision: Dtype; model: Model }>();

/**
 * The model that the checkpoint's config.json describes, and where that leaves something open, its tensors, if they are
 * known. Throws a UserError for anything it cannot honour.
 */
export function openModel(source: ModelSource, precision: Dtype): Model {
  const { config, tensors } = source;
  const last = known.get(config);
  if (last && last.tensors === tensors && last.precision === precision) return last.model;
  const model = buildModel(source, precision);
  known.set(config, { tensors, precision, model });
  return model;
}

function buildModel({ folder, config, tensors }: ModelSource, precision: Dtype): Model {
  const file = join(folder, "config.json");
  const found = config["model_type"];
  const architecture = architectures.find(({ modelType }) => modelType === found);
  if (!architecture) {
    throw new UserError(`${file}: expected model_type to be one of ${modelTypes.join(", ")}, found ${inShort(found)}`);
  }
  const parsed = architecture.config.safeParse(config, { error: expectation, reportInput: true });
  if (parsed.success) return parsed.data(precision, tensors && ((name) => tensors.has(name)));
  const [fault] = faultsOf(parsed.error.issues);
  throw new UserError(`${file}: ${fault?.message}; this model cannot be run`);
}

function inShort(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/** Types of counters, masks and positions. */
const WHOLE_NUMBERS = /^(?:BOOL|[IU]\d+)$/;

/**
 * Refuses a checkpoint that lacks a weight of the model, has another shape, or holds weights the model does not know, which
 * tensors of whole numbers beside all weights never are.
 */
export function checkWeights(model: Model, header: CheckpointHeader): void {
  const { folder, tensors, others, disagreements } = header;
  const weights = new Map(allWeights(model).map((weight) => [weight.name, weight.shape]));
  const aliases = aliasesIn(model, header, weights);
  const isBuffer = (name: string): boolean =>
    !weights.has(name) && !aliases.has(name) && (model.ignorable.test(name) || isOfWholeNumbers(header, name));
  const isAbsentAlias = (name: string): boolean =>
    !aliases.has(name) && model.aliases.some((alias) => alias.name === name);
  for (const [name, text] of disagreements)
    if (!isBuffer(name) && !isAbsentAlias(name)) throw new UserError(join(folder, text));
  for (const [name, shape] of [...weights, ...aliases]) checkTensor(header, name, shape);
  for (const name of [...tensors.keys(), ...others.keys()]) {
    if (weights.has(name) || aliases.has(name) || isBuffer(name)) continue;
    throw new UserError(`${folder}: tensor ${name} is not part of this architecture; merging would lose it`);
  }
}

/** The names that weights have a second time in a checkpoint, with the shapes of these weights. */
function aliasesIn(
  { aliases }: Model,
  { tensors, others }: CheckpointHeader,
  weights: ReadonlyMap<string, Shape>,
): ReadonlyMap<string, Shape> {
  const found = aliases.filter(({ name }) => tensors.has(name) || others.has(name));
  return new Map(found.map(({ name, of }) => [name, weights.get(of) ?? []]));
}

function checkTensor({ folder, tensors, others }: CheckpointHeader, name: string, shape: Shape): void {
  const found = tensors.get(name);
  const other = others.get(name);
  if (other !== undefined)
    throw new UserError(`${folder}: tensor ${name}: expected the dtype F32, F16 or BF16, found ${other}`);
  if (!found) throw new UserError(`${folder}: tensor ${name} is missing; expected it from config.json`);
  if (!sameShape(found.shape, shape)) {
    throw new UserError(
      `${folder}: tensor ${name}: expected shape [${shape.join(", ")}] from config.json, found [${found.shape.join(", ")}]`,
    );
  }
}

/** Whether a tensor is one of counters, masks or positions. */
export function isOfWholeNumbers({ tensors, others }: CheckpointHeader, name: string): boolean {
  return !tensors.has(name) && WHOLE_NUMBERS.test(others.get(name) ?? "");
}
