import { resolve } from "node:path";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { requireOwnFile } from "../own-file.ts";
import { documentOf, PAGE_MARK } from "../page/document.ts";
import { drawForPage, figuresOf } from "../page/figures.ts";
import { html } from "../page/html.ts";
import { section, sentences, tableOf } from "../page/parts.ts";
import type { RunsComparison } from "./compare-runs.ts";
import { runsTable, winnersTable } from "./compare-tables.ts";
import { RUNS_LEGEND, winnersLegend } from "./compare-text.ts";
import { costsPlot } from "./costs-plot.ts";

/** Runs beside each other as a page by itself. */
async function comparePage(comparison: RunsComparison): Promise<string> {
  const { runs, gains, notes, differences } = comparison;
  const title = `${runs.length} runs: ${runs.map(({ name }) => name).join(", ")}`;
  const found = section(
    "found",
    "What was found",
    tableOf("The runs", runsTable(comparison)),
    html`<p class="note">${RUNS_LEGEND}</p>`,
  );
  const winners = section(
    "winners",
    "Winners against each other",
    gains.length > 0
      ? [
          tableOf("Winners against that of the first run", winnersTable(comparison)),
          html`<p class="note">
            ${winnersLegend(comparison)} Rows of one group count once; p-values are corrected for the number of runs
            (Holm).
          </p>`,
        ]
      : undefined,
    sentences(notes),
  );
  const body = html`<header><h1>${title}</h1></header>
    <main>
      ${found}${gains.length + notes.length > 0 ? winners : undefined}
      ${section("cost", "The searches", await figuresOf(costsPlot(comparison), drawForPage))}
      ${section(
        "experiments",
        "The experiments",
        differences.rows.length > 0 ? tableOf("What differs", differences, "words") : html`<p>They are the same.</p>`,
      )}
    </main>`;
  return documentOf(title, body);
}

/** Writes the page, and returns its absolute path. A UserError where a file of somebody else is there. */
export async function writeComparePage(comparison: RunsComparison, file: string): Promise<string> {
  const path = resolve(file);
  await requireOwnFile(path, PAGE_MARK);
  const page = await comparePage(comparison);
  await writeFileAtomic(path, page);
  return path;
}
