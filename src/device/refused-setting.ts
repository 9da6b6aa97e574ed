import { UserError } from "../errors.ts";

/** What somebody asked for by name cannot be had: nothing else takes its place. */
export class RefusedSetting extends UserError {}
