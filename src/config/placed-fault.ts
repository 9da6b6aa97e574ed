/** What is wrong at a place of a text. */
export interface PlacedFault {
  readonly offset: number;
  readonly message: string;
}
