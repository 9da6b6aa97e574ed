/** Fields that transformers 5 reads of any config.json, and that change each family here into a model that is not its own. */
import { z } from "zod";

export const plainFields = {
  // What is not true lets tokens see those behind them; of null some families say so too.
  is_causal: z.literal(true).optional(),
  // Layers that are not like the others.
  per_layer_config: z.null().optional(),
};
