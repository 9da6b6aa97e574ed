import { oneArchitecture, oneTokenizer } from "./compatibility.ts";
import { noMmlu, openData } from "./data.ts";
import { uploadedInTime } from "./date.ts";
import { licence } from "./licence.ts";
import { publicModels } from "./public.ts";
import { fitsMemory, withinADay, withinAnHour } from "./resources.ts";
import type { Rule } from "./rule.ts";
import { size } from "./size.ts";

/** Every rule of the LLM-Merging competition that a machine can check before the search. */
export const rules: readonly Rule[] = [
  publicModels,
  uploadedInTime,
  size,
  licence,
  oneArchitecture,
  oneTokenizer,
  openData,
  noMmlu,
  fitsMemory,
  withinAnHour,
  withinADay,
];
