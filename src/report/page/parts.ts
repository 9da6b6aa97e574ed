import type { Table } from "../table.ts";
import { excerptOf } from "../view/short-text.ts";
import { type Html, html, type HtmlValue } from "./html.ts";

/** Characters of a sentence and of a cell; what strangers name may be longer. */
export const SENTENCE = 2000;
const CELL = 200;

export function sentences(list: readonly string[]): HtmlValue {
  if (list.length === 0) return undefined;
  return html`<ul>
    ${list.map((sentence) => html`<li>${withCode(excerptOf(sentence, SENTENCE))}</li>`)}
  </ul>`;
}

/** What stands between backticks is code, as in report.md. */
export function withCode(text: string): HtmlValue {
  return text.split("`").map((part, i, { length }) => {
    const isCode = i % 2 === 1 && i < length - 1;
    return isCode ? html`<code>${part}</code>` : i % 2 === 1 ? ["`", part] : part;
  });
}

/**
 * A table that scrolls within itself where it is wider than the screen; `name` is read to those who do not see it. Cells of words begin at
 * the left and have several lines, so that a narrow screen shows the beginning of each.
 */
export function tableOf(name: string, { header, rows }: Table, cells: "numbers" | "words" = "numbers"): Html {
  const cell = (text: string, i: number): Html =>
    i === 0 ? html`<th scope="row">${cellText(text)}</th>` : html`<td>${cellText(text)}</td>`;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${cellText(name)}">
    <table class="${cells}">
      <thead>
        <tr>
          ${header.map((text) => html`<th scope="col">${cellText(text)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map(cell)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A part of the page under a heading. */
export function section(id: string, heading: string, ...content: readonly HtmlValue[]): Html {
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${heading}</h2>
    ${content}
  </section> `;
}

function cellText(text: string): string {
  return excerptOf(text, CELL);
}
