/** The softmax of attention by oneDNN: a mask is added by one primitive, the softmax computed by another. */
import type { NativeWork } from "../c-functions.ts";
import { attributesOf, STEPS } from "./onednn-functions.ts";
import { elementAfterElement, newLayouts } from "./onednn-layouts.ts";
import type { DnnlPrimitives, DnnlWork } from "./onednn-primitives.ts";
import type { MaskedSoftmax } from "./product-library.ts";

/** DNNL_ARG_SRC_0, DNNL_ARG_SRC_1 and DNNL_ARG_DST. */
const [X, MASK, RESULT] = [1, 2, 17];

/** dnnl_forward_inference and dnnl_softmax_accurate. */
const [INFERENCE, ACCURATE] = [96, 0x3_00_00];

const PROBE = { batch: 2, heads: 3, rows: 32, columns: 48, factor: 0.5, x: 0n, mask: 0n, result: 0n } as const;

/** Undefined where the library has on this processor only primitives that others are tested by. */
export function bindSoftmax(
  primitives: DnnlPrimitives,
): ((softmax: MaskedSoftmax) => readonly NativeWork[]) | undefined {
  const probes = [addMask(PROBE), softmaxOf({ ...PROBE, resultFormat: "f32" })];
  if (probes.some((work) => primitives.isReference(work))) return undefined;
  return (softmax) => [primitives.of(addMask(softmax)), primitives.of(softmaxOf(softmax))];
}

/** factor (x + mask), where x was: the mask is 0 or -Infinity, which no factor changes. */
function addMask({ batch, heads, rows, columns, factor, x, mask }: Omit<MaskedSoftmax, "resultFormat">): DnnlWork {
  return {
    key: ["mask", batch, heads, rows, columns, factor].join(";"),
    plan: (dnnl, engine, objects) => {
      const sizes = [
        elementAfterElement([batch, heads, rows, columns], "f32"),
        elementAfterElement([batch, 1, rows, columns], "f32"),
      ];
      const [all, one] = newLayouts(dnnl, objects, sizes);
      const attributes = attributesOf(dnnl, objects, [{ op: "scale", factor }], []);
      const [kind] = STEPS.add;
      const plan = objects.make((out) => dnnl.newBinary(out, engine, kind, all, one, all, attributes), dnnl.freePlan);
      return { plan, layouts: [all, one, all] };
    },
    memory: [
      { argument: X, address: x },
      { argument: MASK, address: mask },
      { argument: RESULT, address: x },
    ],
  };
}

function softmaxOf({ batch, heads, rows, columns, x, result, resultFormat }: MaskedSoftmax): DnnlWork {
  const sizes = [batch * heads * rows, columns];
  return {
    key: ["softmax", ...sizes, resultFormat].join(";"),
    plan: (dnnl, engine, objects) => {
      const layouts = newLayouts(dnnl, objects, [
        elementAfterElement(sizes, "f32"),
        elementAfterElement(sizes, resultFormat),
      ]);
      const attributes = attributesOf(dnnl, objects, [], []);
      const operands = [engine, INFERENCE, ACCURATE, ...layouts, 1, attributes];
      return { plan: objects.make((out) => dnnl.newSoftmax(out, ...operands), dnnl.freePlan), layouts };
    },
    memory: [
      { argument: X, address: x },
      { argument: RESULT, address: result },
    ],
  };
}
