import type { TensorInfo } from "../checkpoint/checkpoint.ts";
import type { StoredValues } from "../tensor/stored-values.ts";

/** One weight of one parent, read but not uploaded. */
export interface Loaded {
  readonly parent: string;
  readonly info: TensorInfo;
  readonly bytes: Uint8Array;
}

/** What is read of a weight, without whose it is. */
export function storedIn({ info, bytes }: Loaded): StoredValues {
  return { dtype: info.dtype, bytes };
}
