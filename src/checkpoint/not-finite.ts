import { UserError } from "../errors.ts";

/** What is said of weights that no merge or forward pass can be computed with; elements count from 0. */
export function notFinite(folder: string, tensor: string, element: number): UserError {
  return new UserError(
    `${folder}: tensor ${tensor}: element ${element} is NaN or infinite; expected finite weights, use another model`,
  );
}
