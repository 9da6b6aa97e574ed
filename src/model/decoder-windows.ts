/** Windows of layers that are told apart by `layer_types`, as newer files have it, or by the rule of a family. */
import { z } from "zod";
import type { Decoder } from "./decoder-config.ts";

export const layerTypes = z.array(z.enum(["full_attention", "sliding_attention"])).nullish();

/** The type of a layer that sees so many tokens. */
export function layerTypeOf(window: number): string {
  return window === Infinity ? "full_attention" : "sliding_attention";
}

interface WindowFields {
  readonly num_hidden_layers: number;
  readonly layer_types?: z.infer<typeof layerTypes>;
}

/** `slides` says which layers have the window where no `layer_types` do. */
export function windowsOf(
  { num_hidden_layers: layers, layer_types: types }: WindowFields,
  { window, slides }: { readonly window: number | null; readonly slides: (layer: number) => boolean },
  context: z.RefinementCtx,
): Decoder["windows"] {
  const refuse = (path: string, message: string): never => {
    context.addIssue({ code: "custom", path: [path], message });
    return z.NEVER;
  };
  if (types && types.length !== layers)
    return refuse("layer_types", `expected one for each of the ${layers} layers, found ${types.length}`);
  const sliding = Array.from({ length: layers }, (_, layer) =>
    types ? types[layer] === "sliding_attention" : slides(layer),
  );
  if (window === null && sliding.includes(true)) {
    return types
      ? refuse("layer_types", "expected full_attention alone where no sliding_window is used, found sliding_attention")
      : refuse("sliding_window", "expected a number of tokens, found nothing");
  }
  return sliding.map((slides) => (slides && window !== null ? window : Infinity));
}
