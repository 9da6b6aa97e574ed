/** What every kind of record must look like before anything relies on it. */
import { z } from "zod";
import type { Entry } from "./record-line.ts";
import type { JournalRecord, RecordPayloads } from "./records.ts";
import { baselineFields } from "./records/baseline-records.ts";
import { objectOf, type PayloadFields, whole } from "./records/fields.ts";
import { finishFields } from "./records/finish-records.ts";
import { openingFields } from "./records/opening-records.ts";
import { partFields } from "./records/part-records.ts";
import { searchFields } from "./records/search-records.ts";

const payloads: PayloadFields<RecordPayloads> = {
  ...openingFields,
  ...partFields,
  ...baselineFields,
  ...searchFields,
  ...finishFields,
};

/** The schema of each kind of record, its type included. */
const recordSchemas = Object.entries(payloads).map(([type, fields]) =>
  z.strictObject({ type: z.literal(type), ...fields }),
);

/** Checks what a line holds, but not whether it follows on the lines before. */
export const entrySchema: z.ZodType<Entry> = objectOf<Entry>({
  sequence: whole,
  numberBytes: whole.multipleOf(Float64Array.BYTES_PER_ELEMENT),
  record: z.discriminatedUnion(
    "type",
    recordSchemas as [(typeof recordSchemas)[number]],
  ) as unknown as z.ZodType<JournalRecord>,
});
