/** One number that a merge method takes: what the genome varies, validation checks and help prints. */
export interface ParameterSpec {
  readonly name: string;
  /** Whether each expert has its own value, or one value serves the whole merge. */
  readonly per: "expert" | "model";
  /** Lowest and highest value that a search visits unless its search space says otherwise. */
  readonly range: readonly [number, number];
  /** Where a search starts; "uniform" is 1 / number of experts. */
  readonly start: number | "uniform";
  readonly summary: string;
}

/** What a merge method is and takes, apart from how it computes. */
export interface MethodDeclaration {
  readonly name: string;
  readonly summary: string;
  /** The paper that introduced the method. */
  readonly source: string;
  /** Whether the experts are merged as differences from a base model. */
  readonly needsBase: boolean;
  readonly parameters: readonly ParameterSpec[];
}
