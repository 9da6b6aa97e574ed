/** What an engine is asked to do: products of the demo's own shapes, large products, or the scoring of a generation. */
export const measures = ["products of the demo", "products [1024, 1024]", "scoring the demo"] as const;
export type Measure = (typeof measures)[number];

/** The first message of an engine's process: its name and the operations of each measure; or why it does not run here. */
export type Opened =
  | { readonly name: string; readonly flop: Readonly<Record<Measure, number>>; readonly tokens: number }
  | { readonly missing: string };
