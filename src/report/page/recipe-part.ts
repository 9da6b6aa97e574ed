import type { Recipe } from "../../merge/recipe.ts";
import { html, type HtmlValue } from "./html.ts";

/** Characters that are shown; a larger recipe is in an export. */
const MOST = 40_000;

/** How the winner is merged, a curve a line, without coefficients of input columns, which are packed numbers. */
export function recipeOf(recipe: Recipe | null): HtmlValue {
  if (recipe === null) return undefined;
  const { columns, ...shown } = "columns" in recipe ? recipe : { columns: undefined, ...recipe };
  const text = JSON.stringify(shown, shortNumber, 2).replaceAll(/\[[\s\d.,e+-]+\]/g, (list) =>
    list.replaceAll(/\s+/g, " "),
  );
  const note = columns === undefined ? "" : " Coefficients of input columns are left out.";
  const rest =
    text.length > MOST
      ? ` Its first ${MOST.toLocaleString("en-US")} of ${text.length.toLocaleString("en-US")} characters:`
      : "";
  return html`<details>
    <summary>The winner's recipe</summary>
    <p class="note">As the recipe.json of an export has it, in four decimals.${note}${rest}</p>
    <pre tabindex="0">${text.slice(0, MOST)}</pre>
  </details> `;
}

/** In as many digits as anybody reads. */
function shortNumber(_: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toFixed(4)) : value;
}
