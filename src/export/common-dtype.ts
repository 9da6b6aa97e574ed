import { tensorBytes, type TensorSpec } from "../checkpoint/safetensors-header.ts";

/** The dtype that most bytes are of. */
export function commonDtype(tensors: Iterable<TensorSpec>): TensorSpec["dtype"] {
  const bytes: Record<TensorSpec["dtype"], number> = { f32: 0, f16: 0, bf16: 0 };
  for (const tensor of tensors) bytes[tensor.dtype] += tensorBytes(tensor);
  const dtypes = Object.keys(bytes) as TensorSpec["dtype"][];
  return dtypes.reduce((common, dtype) => (bytes[dtype] > bytes[common] ? dtype : common));
}
