/** All that a pickle of tensors may ask for, as plain data. Anything else is refused by its name, and nothing is ever run. */
import { elementCount } from "../../tensor/dtype.ts";
import {
  kindOf,
  PickleDict,
  PickleGlobal,
  type PickleValue,
  type StorageType,
  TorchStorage,
  TorchView,
} from "./pickle-values.ts";

/** What a call makes of its arguments, or a string that says what is wrong with them. */
type Call = (args: readonly PickleValue[]) => PickleDict | TorchView | string;

/** Types of storages, as safetensors calls those of their elements. */
const storageTypes: ReadonlyMap<string, StorageType> = new Map(
  Object.entries({
    FloatStorage: ["F32", 4],
    HalfStorage: ["F16", 2],
    BFloat16Storage: ["BF16", 2],
    DoubleStorage: ["F64", 8],
    LongStorage: ["I64", 8],
    IntStorage: ["I32", 4],
    ShortStorage: ["I16", 2],
    CharStorage: ["I8", 1],
    ByteStorage: ["U8", 1],
    BoolStorage: ["BOOL", 1],
    ComplexFloatStorage: ["C64", 8],
  } as const).map(([name, [dtype, elementBytes]]) => [`torch.${name}`, { dtype, elementBytes }]),
);

/** Given to calls, and never looked into. */
const marks = new Set(["torch.Tensor", "torch.nn.parameter.Parameter"]);

const TYPED = "torch._tensor._rebuild_from_type_v2";

/** A parameter is its tensor; whether it takes gradients does not matter here. */
const parameter: Call = ([tensor]) =>
  tensor instanceof TorchView ? tensor : `expected a tensor, found ${kindOf(tensor)}`;

const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  ["collections.OrderedDict", (args) => (args.length === 0 ? new PickleDict() : "expected no arguments")],
  ["torch._utils._rebuild_tensor_v2", ([storage, ...view]) => viewOf(storage, view)],
  ["torch._utils._rebuild_parameter", parameter],
  ["torch._utils._rebuild_parameter_with_state", parameter],
  // A tensor to which someone gave attributes. The calls that may be inside are not this one, so that nothing nests.
  [
    TYPED,
    ([call, _type, args]) => {
      if (!(call instanceof PickleGlobal) || call.name === TYPED || !Array.isArray(args))
        return `expected a call, found ${kindOf(call)}`;
      return callGlobal(call, args);
    },
  ],
]);

/** The global of that name; undefined where a pickle of tensors has no use for it. */
export function findGlobal(name: string): PickleGlobal | undefined {
  return calls.has(name) || storageTypes.has(name) || marks.has(name) ? new PickleGlobal(name) : undefined;
}

/** What calling makes of the arguments, or what is wrong with them, in words. */
export function callGlobal({ name }: PickleGlobal, args: readonly PickleValue[]): ReturnType<Call> {
  return calls.get(name)?.(args) ?? "it cannot be called";
}

/** The storage that a persistent id describes, or what is wrong with it, in words. */
export function storageOf(id: PickleValue | undefined): TorchStorage | string {
  if (!Array.isArray(id) || id[0] !== "storage") return `expected a storage, found ${kindOf(id)}`;
  const [, global, key, , elements, root = null] = id as readonly PickleValue[];
  const type = global instanceof PickleGlobal ? storageTypes.get(global.name) : undefined;
  if (!type) return `expected the type of a storage, found ${kindOf(global)}`;
  if (typeof key !== "string") return `expected the name of a storage, found ${kindOf(key)}`;
  if (!isCount(elements)) return `expected the size of a storage, found ${kindOf(elements)}`;
  // PyTorch before 0.4 could save a part of a storage under a name of its own.
  if (root !== null) return `expected a whole storage, found a part of ${kindOf(root)}`;
  return new TorchStorage(type, key, elements);
}

const MAX_DIMENSIONS = 8;

/** The arguments of `_rebuild_tensor_v2`: storage, offset, shape, strides, and what does not change the values. */
function viewOf(
  storage: PickleValue | undefined,
  [offset, shape, strides, _takesGradients, _hooks, marks]: readonly PickleValue[],
): TorchView | string {
  if (!(storage instanceof TorchStorage)) return `expected a storage, found ${kindOf(storage)}`;
  if (!isCount(offset)) return `expected an offset, found ${kindOf(offset)}`;
  if (!isArrayOfCounts(shape) || shape.length > MAX_DIMENSIONS)
    return `expected a shape of at most ${MAX_DIMENSIONS} whole numbers from 0`;
  if (!isArrayOfCounts(strides) || strides.length !== shape.length) return "expected a stride for each dimension";
  // Such as `neg`, by which the values are not those of the storage.
  if (marks instanceof PickleDict && marks.entries.length > 0)
    return "expected values as their storage has them, found marks";
  const elements = elementCount(shape);
  const end =
    elements === 0 ? offset : offset + shape.reduce((sum, size, i) => sum + (size - 1) * (strides[i] ?? 0), 1);
  // The second keeps a small file from being a large tensor, whose elements share their places.
  if (!(end <= storage.elements) || !(elements <= storage.elements))
    return `expected a tensor inside its storage of ${storage.elements} elements, found shape [${shape.join(", ")}] and strides [${strides.join(", ")}] from ${offset} on`;
  return new TorchView(storage, { offset, shape, strides });
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isArrayOfCounts(value: PickleValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}
