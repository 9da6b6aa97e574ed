/** What the fields of records may hold: a checksum proves no origin. */
import { z } from "zod";
import { showUntrusted } from "../../files/show-untrusted.ts";

/** A schema for each key of `T`, optional ones too, so that no field of a record can be forgotten here. */
export type FieldsOf<T> = { readonly [Key in keyof T]-?: z.ZodType<T[Key]> };

/** The fields of each kind of record. */
export type PayloadFields<T> = { readonly [Type in keyof T]: FieldsOf<T[Type]> };

/** An object with exactly these keys. */
export function objectOf<T extends object>(fields: FieldsOf<T>): z.ZodType<T> {
  return z.strictObject(fields) as unknown as z.ZodType<T>;
}

/** Of a model, a task or a folder. */
export const anyName = z.string().min(1).max(4096);

/** Whatever was measured; a model may fail on a row, and its loss is NaN then. */
export const measured = z.custom<number>((value) => typeof value === "number", {
  error: ({ input }) => `expected a number, found ${showUntrusted(input)}`,
});

export const whole = z.int().min(0);

export const milliseconds = z.number().min(0);

export const hexadecimal = z.string().regex(/^[0-9a-f]{1,128}$/, "hexadecimal digits");

export const interval = z.tuple([measured, measured]);

export const share = z.number().min(0).max(1);
