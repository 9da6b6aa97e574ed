import { UserError } from "../../errors.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { elementCount } from "../../tensor/dtype.ts";
import { type Header, storedDtypes } from "../safetensors-header.ts";
import { kindOf, PickleDict, type PickleValue, type TorchStorage, TorchView } from "./pickle-values.ts";

/** The tensors of a file by name, and how to find where its storages are. */
export interface TorchContent {
  readonly views: ReadonlyMap<string, TorchView>;
  /** The position of the first byte of each storage, by its key; a UserError where one is not in the file as a whole. */
  readonly place: () => Promise<ReadonlyMap<string, number>>;
}

/** The tensors of a state dict; a UserError for one that holds anything else. */
export function viewsOf(value: PickleValue, path: string): ReadonlyMap<string, TorchView> {
  if (!(value instanceof PickleDict)) throw new UserError(`${path}: expected tensors by name, found ${kindOf(value)}`);
  const views = new Map<string, TorchView>();
  for (const [name, view] of value.entries) {
    if (typeof name !== "string")
      throw new UserError(`${path}: expected tensors by name, found ${kindOf(name)} as a name`);
    if (/[\p{Cc}\p{Cs}]/u.test(name))
      throw new UserError(
        `${path}: tensor ${show(name)}: expected no control characters or lone surrogates in its name`,
      );
    if (!(view instanceof TorchView))
      throw new UserError(
        `${path}: ${show(name)}: expected a tensor, found ${kindOf(view)}; save the state dict of the model alone`,
      );
    if (views.has(name)) throw new UserError(`${path}: tensor ${show(name)} is there twice`);
    views.set(name, view);
  }
  return views;
}

/** The storages of tensors by key; a UserError where two of different types or sizes have one key. */
export function storagesOf(views: Iterable<TorchView>, path: string): ReadonlyMap<string, TorchStorage> {
  const storages = new Map<string, TorchStorage>();
  for (const { storage } of views) {
    const known = storages.get(storage.key) ?? storage;
    if (known.dtype !== storage.dtype || known.elements !== storage.elements)
      throw new UserError(`${path}: storage ${show(storage.key)} is described in two ways`);
    storages.set(storage.key, storage);
  }
  return storages;
}

/** Tensors as a header of safetensors describes them, in the order of their storages as they were first named. */
export function headerOf(views: ReadonlyMap<string, TorchView>): Header {
  const described = Array.from(views, ([name, { shape, storage }]) => ({
    tensor: { name, shape, bytes: elementCount(shape) * storage.elementBytes },
    stored: storage.dtype,
    dtype: storedDtypes.get(storage.dtype),
  }));
  return {
    tensors: described.flatMap(({ tensor, dtype }) => (dtype ? [{ ...tensor, dtype }] : [])),
    others: described.flatMap(({ tensor, dtype, stored }) => (dtype ? [] : [{ ...tensor, dtype: stored }])),
  };
}
