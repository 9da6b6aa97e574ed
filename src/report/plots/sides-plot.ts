import type { SidesPoint } from "../view/sides-view.ts";
import { inShort, type Plot } from "./plot.ts";
import { scatterSpec } from "./scatter.ts";

/** Combined losses on the rows that were searched on against those on the guard rows: what lies above the line does worse where nothing was chosen. */
export function sidesPlot({ sides }: { readonly sides: readonly SidesPoint[] }): Plot[] {
  if (sides.length === 0) return [];
  const winner = sides.find(({ kind }) => kind === "winner");
  const above = sides.filter(({ search, guard }) => guard > search).length;
  return [
    {
      name: "search-and-guard",
      title: "Search rows against guard rows",
      finding: [
        `Combined losses of ${sides.length} models; on the dashed line a model does as well on guard rows as on search rows, and ${above} lie above it.`,
        ...(winner
          ? [
              `The winner (diamond) has ${inShort(winner.search)} on search rows, by which it was chosen, and ${inShort(winner.guard)} on guard rows.`,
            ]
          : []),
      ].join(" "),
      specFor: (theme) =>
        scatterSpec(
          {
            titles: ["combined loss on search rows", "combined loss on guard rows"],
            models: sides.map(({ name, kind, search, guard }) => ({
              name,
              x: search,
              y: guard,
              isWinner: kind === "winner",
            })),
            isSameLoss: true,
          },
          theme,
        ),
      table: {
        header: ["model", "search rows", "guard rows"],
        rows: sides.map(({ name, search, guard }) => [name, inShort(search), inShort(guard)]),
      },
    },
  ];
}
