import type { Leaf } from "../facts.ts";

/** Where each element stands in its row by how much the expert adds there, as DELLA drops by: from 0, the least, to 1. */
export const rowRanks: Leaf = {
  name: "row_ranks",
  async make({ base, experts, expert, shape }) {
    const { rowRanksOf } = await import("../../tensor/row-ranks.ts");
    return rowRanksOf(base, experts[expert]?.stored ?? base, shape.at(-1) ?? 1);
  },
  python: `
def row_ranks(name, expert, tensor, base):
    """Where each element stands in its row by its distance from the base: from 0, the least, to 1."""
    magnitudes = (tensor - base).abs()
    width = magnitudes.shape[-1]
    if width == 1:
        return torch.full_like(magnitudes, 0.5)
    order = torch.argsort(magnitudes, dim=-1, stable=True)
    places = torch.arange(width, dtype=torch.float32) * torch.tensor(1 / (width - 1), dtype=torch.float32)
    return torch.empty_like(magnitudes).scatter_(-1, order, places.expand_as(magnitudes).contiguous())
`,
};
