import { inShort } from "../plots/plot.ts";
import type { ChangesView, RowChange } from "../view/row-changes.ts";
import { excerptOf } from "../view/short-text.ts";
import { SENTENCE } from "./parts.ts";
import { type Html, html, type HtmlValue } from "./html.ts";

/** The guard rows that changed most from the best other model to the winner, with their texts. */
export function changedRows({ other, tasks, withoutTexts }: ChangesView): HtmlValue {
  return [
    withoutTexts === undefined
      ? undefined
      : html`<p class="note">Texts are not shown: ${excerptOf(withoutTexts, SENTENCE)}</p>`,
    ...tasks.flatMap(({ task, mostWon, mostLost }) => [
      ...group(`${task}: won most against ${other}`, mostWon, "won"),
      ...group(`${task}: lost most against ${other}`, mostLost, "lost"),
    ]),
  ];
}

function group(heading: string, rows: readonly RowChange[], kind: "won" | "lost"): Html[] {
  if (rows.length === 0) return [];
  return [
    html`<details class="rows">
      <summary>${heading}</summary>
      ${rows.map((row) => rowOf(row, kind))}
    </details> `,
  ];
}

function rowOf({ number, winner, other, text }: RowChange, kind: "won" | "lost"): Html {
  const losses = `Row ${number} of those scored: loss ${inShort(other)} became ${inShort(winner)}.`;
  if (!text) return html`<div class="row ${kind}">${losses}</div> `;
  const { context, answer, others } = text;
  return html`<div class="row ${kind}">
    ${losses}
    <div class="text">${context}</div>
    <div class="text"><strong>${others.length > 0 ? "Right answer:" : "Text:"}</strong> ${answer}</div>
    ${
      others.length > 0
        ? html`Other answers:
            <ul>
              ${others.map((one) => html`<li>${one}</li>`)}
            </ul>`
        : undefined
    }
  </div> `;
}
