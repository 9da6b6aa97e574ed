import type { RecordPayloads } from "../journal/records.ts";
import type { Table } from "./table.ts";

/** ROUGE of what winner and parents write, a row each and a column for each task. */
export function textsTable({ models }: RecordPayloads["texts"]): Table {
  const tasks = Object.keys(models[0]?.scores ?? {});
  return {
    header: ["model", ...tasks.map((task) => `${task} ROUGE-1 / 2 / L`)],
    rows: models.map(({ name, scores }) => [
      name,
      ...tasks.map((task) => {
        const own = scores[task];
        return own ? [own.rouge1, own.rouge2, own.rougeL].map((value) => value.toFixed(3)).join(" / ") : "";
      }),
    ]),
  };
}

/** What those texts are of. */
export function textsSentence({ rows }: RecordPayloads["texts"]): string {
  const counts = Object.entries(rows).filter(([, count]) => count > 0);
  const of = counts.map(([task, count]) => `${count} guard rows of ${task}`).join(", ");
  return `What winner and parents write for ${of}, greedily, up to a line's end: ROUGE without the stemmer, f-measures. It was not searched on, and so few texts tell little.`;
}
