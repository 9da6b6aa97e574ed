import type { Ggml, Pointer } from "../library.ts";
import { typeNumber } from "../lowering.ts";
import { formatOf } from "./graph-products.ts";
import type { ProductLibrary } from "./product-library.ts";

/**
 * ggml for one graph, in which the factors of a product have one format, as libraries need them. Where it multiplies bf16
 * an f32 factor is rounded, as ggml itself does; where it does not, a bf16 factor is widened, which loses nothing.
 */
export function withMatchedFormats(ggml: Ggml, { leastRows }: ProductLibrary): Ggml {
  const common = leastRows.bf16 === undefined ? "f32" : "bf16";
  const converted = new Map<Pointer, Pointer>();
  const convert = (context: Pointer, factor: Pointer): Pointer => {
    if (formatOf(factor) === common) return factor;
    const copy = converted.get(factor) ?? ggml.cast(context, factor, typeNumber[common]);
    converted.set(factor, copy);
    return copy;
  };
  const mulMat = (context: Pointer, weight: Pointer, x: Pointer): Pointer => {
    const isBf16 = formatOf(weight) === "bf16" && formatOf(x) !== undefined;
    return isBf16
      ? ggml.mulMat(context, convert(context, weight), convert(context, x))
      : ggml.mulMat(context, weight, x);
  };
  return { ...ggml, mulMat: Object.assign(mulMat, { async: ggml.mulMat.async }) };
}
