/** Coefficients of columns as Python: a table of base64, and the function that finds a tensor's coefficients. */
import type { RecipeWithColumns } from "../../merge/recipe.ts";
import type { Packed } from "../../tensor/packed.ts";
import { pythonString } from "./python-literal.ts";
import type { StoredWeight } from "./tensor-table.ts";

const PER_LINE = 112;

/** What of a tensor has numbers of its own. */
export type NumberedPart = "column" | "row";

/** The table, for the merged models. */
export function columnsText(
  { columns }: RecipeWithColumns,
  part: NumberedPart,
  weights: readonly StoredWeight[],
  merged: readonly string[],
): string {
  const lines = Object.entries(columns).flatMap(([parameter, ofWeights]) => [
    `    ${pythonString(parameter)}: {`,
    ...weights.flatMap(({ name }) => {
      const experts = ofWeights[name];
      return experts
        ? [`        ${pythonString(name)}: {`, ...merged.flatMap(linesOf(name, experts)), "        },"]
        : [];
    }),
    "    },",
  ]);
  return `# By parameter, tensor and model: a value for each ${part === "row" ? "row" : "input column"}, float32 in base64, in the place of those above.
COLUMNS = {
${lines.join("\n")}
}

`;
}

function linesOf(name: string, experts: Readonly<Record<string, Packed>>): (model: string) => string[] {
  return (model) => {
    const packed = experts[model];
    if (packed === undefined) throw new Error(`starter kit: the recipe has no columns of ${name} for ${model}`);
    // Decoding passes over the ends of lines.
    const pieces = packed.match(new RegExp(`.{1,${PER_LINE}}`, "g")) ?? [];
    return [`            ${pythonString(model)}: """`, ...pieces, `""",`];
  };
}

/** Of the table, beside that of the curves. */
export const coefficientsWithColumns = (part: NumberedPart): string => `
def coefficients(parameter, name, group, layer):
    """The merged models, each with its coefficient at a tensor, rounded to float32, or one for each of its ${part}s."""
    columns = COLUMNS.get(parameter, {}).get(name)
    for model in MERGED:
        if columns is not None:
            yield model, torch.frombuffer(bytearray(base64.b64decode(columns[model])), dtype=torch.float32)${part === "row" ? ".unsqueeze(-1)" : ""}
            continue
        curve = COEFFICIENTS[parameter][group][model]
        value = curve["rest"] if layer is None else curve["layers"][layer]
        yield model, torch.tensor(value, dtype=torch.float32)
`;
