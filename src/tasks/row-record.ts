/** One record of a file of rows, before it is known what its values mean. */
export interface RowRecord {
  /** The file and the record's line or number in it. */
  readonly where: string;
  /** All columns of the file, or keys of the object; `values` may have fewer. */
  readonly columns: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
}
