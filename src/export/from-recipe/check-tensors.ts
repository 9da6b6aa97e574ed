import { UserError } from "../../errors.ts";
import { knownModel } from "../../mergekit/model-places.ts";
import { type CheckpointHeader, checkWeights, isOfWholeNumbers } from "../../model/open-model.ts";

/**
 * A UserError where a merge would lose a tensor of a model: one that its architecture does not know, or where that is not known,
 * one of a type that is not merged. Whole numbers, such as positions, are no weights; that they are left out is told.
 */
export function checkTensors(header: CheckpointHeader, onNotice: ((text: string) => void) | undefined): void {
  const model = knownModel(header);
  if (model) {
    checkWeights(model, header);
    return;
  }
  const { folder, others } = header;
  for (const [name, dtype] of others) {
    if (isOfWholeNumbers(header, name)) continue;
    throw new UserError(`${folder}: tensor ${name}: expected the dtype F32, F16 or BF16, found ${dtype}`);
  }
  const [first] = others.keys();
  if (first !== undefined)
    onNotice?.(`${folder}: ${others.size} tensors of whole numbers, such as ${first}, are left out of the merge`);
}
