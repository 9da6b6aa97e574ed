import { join } from "node:path";
import { readJsonObject } from "../files/json-object.ts";
import { UserError } from "../errors.ts";

/**
 * What lm_eval 0.4.13 does to a model whose head is not its embedding, in a sentence: it ties weights once more when it has
 * loaded one, and transformers 5 lets no T5 say that it has a head of its own. Undefined for other models.
 */
export async function tiedHead(name: string, folder: string): Promise<string | undefined> {
  const config = await readJsonObject(join(folder, "config.json")).catch((error: unknown) => {
    // An adapter has none; what else is wrong with it, lm_eval finds.
    if (error instanceof UserError) return undefined;
    throw error;
  });
  const { model_type: type, scale_decoder_outputs: isScaled, tie_word_embeddings: isTied } = config ?? {};
  if (type !== "t5" || (isScaled ?? isTied !== false) !== false) return undefined;
  return `${name}: under transformers 5, lm_eval 0.4.13 scores a T5 with its embedding in the place of its head, whatever lm_head.weight holds; its numbers are the model's own under transformers 4 only`;
}
