import type { Shape } from "../../tensor/dtype.ts";

/** What a pickle of tensors is made of; lists and tuples are both arrays. No value of it can do anything. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PickleValue[]
  | PickleDict
  | PickleGlobal
  | TorchStorage
  | TorchView;

/** A dict or an OrderedDict: its entries in the order in which they were set. */
export class PickleDict {
  readonly entries: (readonly [key: PickleValue, value: PickleValue])[] = [];
}

/** A name of a Python module that is known here; what it does is in `torch-calls.ts`, or nothing. */
export class PickleGlobal {
  /** Such as `torch.FloatStorage`. */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Elements in the order of the file, which tensors are views of. */
export class TorchStorage {
  readonly key: string;
  /** As safetensors calls it, such as BF16. */
  readonly dtype: string;
  readonly elementBytes: number;
  readonly elements: number;

  constructor(type: StorageType, key: string, elements: number) {
    this.key = key;
    this.dtype = type.dtype;
    this.elementBytes = type.elementBytes;
    this.elements = elements;
  }
}

/** The type of a storage. */
export interface StorageType {
  /** As safetensors calls it. */
  readonly dtype: string;
  readonly elementBytes: number;
}

/** A tensor, all of whose elements are inside its storage. */
export class TorchView {
  readonly storage: TorchStorage;
  /** Element of the storage that is the tensor's first. */
  readonly offset: number;
  readonly shape: Shape;
  /** Elements of the storage from one index of a dimension to the next. */
  readonly strides: readonly number[];

  constructor(storage: TorchStorage, { offset, shape, strides }: Pick<TorchView, "offset" | "shape" | "strides">) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** What kind of value it is, in words; never what is inside, which has no end. */
export function kindOf(value: PickleValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "None";
  if (value instanceof PickleGlobal) return value.name;
  if (value instanceof PickleDict) return "a dict";
  if (value instanceof TorchStorage) return "a storage";
  if (value instanceof TorchView) return "a tensor";
  if (typeof value === "object") return "a list";
  return typeof value === "string" ? "a string" : `a ${typeof value === "boolean" ? "truth value" : "number"}`;
}
