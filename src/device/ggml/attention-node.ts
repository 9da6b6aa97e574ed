/** The node of ggml for attention, and which devices compute it well enough. */
import type { Expression } from "../expression.ts";
import { exchangesMiddle, type FusedAttention } from "./fused-attention.ts";
import type { Ggml, Pointer } from "./library.ts";
import type { LoweringContext } from "./lowering.ts";
import type { TensorStore } from "./tensor-store.ts";
import { innermostFirst, typeNumber } from "./types-and-sizes.ts";

/** Adds the node of an attention whose operands are already there. */
export function lowerAttention(attention: FusedAttention, lowering: LoweringContext): Pointer {
  const { ggml, context, tensorOf, halfMasks } = lowering;
  const { query, keys, values, mask } = attention;
  // A backend reads heads that lie between each other where they are.
  const lying = (x: Expression): Pointer =>
    x.op === "permute" && exchangesMiddle(x) ? ggml.permute(context, tensorOf(x.x), 0, 2, 1, 3) : tensorOf(x);
  const rounded = (x: Expression): Pointer => ggml.cast(context, lying(x), typeNumber.bf16);
  const half = halfMasks.get(mask) ?? ggml.cast(context, forHeads(ggml, context, mask, tensorOf(mask)), typeNumber.f16);
  halfMasks.set(mask, half);
  return attentionNode(ggml, context, attention, [lying(query), rounded(keys), rounded(values), half]);
}

/** Devices whose node multiplies bf16 and sums in f32. CUDA computes it in f16, and Metal sums in that, which ends at 65,504. */
const SUMMING_IN_F32 = /^Vulkan/;

/** Whether a device computes attention in one node as exactly as by its products in bf16, and of as large numbers. */
export function isExactEnough(ggml: Ggml, device: Pointer): boolean {
  return SUMMING_IN_F32.test(String(ggml.deviceName(device)));
}

/** Operands and the node. */
const NODES = 5;

/** Tells of an attention whether a device computes that very node. */
export function attentionSupport(
  ggml: Ggml,
  device: Pointer,
  store: TensorStore,
): (attention: FusedAttention) => boolean {
  return (attention) => {
    const context = store.newContext(NODES);
    try {
      const { query, keys, values, mask } = attention;
      const [batch = 0, n = 0, count = 0] = mask.shape;
      const operands = [
        ggml.newTensor(context, typeNumber.f32, 4, innermostFirst(query.shape)),
        ggml.newTensor(context, typeNumber.bf16, 4, innermostFirst(keys.shape)),
        ggml.newTensor(context, typeNumber.bf16, 4, innermostFirst(values.shape)),
        ggml.newTensor(context, typeNumber.f16, 4, innermostFirst([batch, 1, n, count])),
      ];
      return Boolean(ggml.deviceSupports(device, attentionNode(ggml, context, attention, operands)));
    } finally {
      ggml.freeContext(context);
    }
  };
}

function attentionNode(
  ggml: Ggml,
  context: Pointer,
  { factor }: FusedAttention,
  [query, keys, values, mask]: readonly Pointer[],
): Pointer {
  return ggml.flashAttention(context, query, keys, values, mask, factor, 0, 0);
}

/** A mask as one that all heads read. */
function forHeads(ggml: Ggml, context: Pointer, { shape }: Expression, mask: Pointer): Pointer {
  const [batch = 0, n = 0, count = 0] = shape;
  return ggml.reshape4d(context, mask, ...innermostFirst([batch, 1, n, count]));
}
