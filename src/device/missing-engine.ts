import { UserError } from "../errors.ts";

/** An engine that is not on this machine: `auto` passes over it without a word, unlike one that is here and fails. */
export class MissingEngine extends UserError {}
