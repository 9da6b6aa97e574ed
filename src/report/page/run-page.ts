import { plotsOf } from "../plots/plots-of.ts";
import type { RunView } from "../view/run-view.ts";
import { excerptOf } from "../view/short-text.ts";
import { documentOf } from "./document.ts";
import { type DrawPlot, drawForPage, figuresOf } from "./figures.ts";
import { type Html, html, type HtmlValue } from "./html.ts";
import { SENTENCE, sentences, section, tableOf, withCode } from "./parts.ts";
import { recipeOf } from "./recipe-part.ts";
import { changedRows } from "./rows-part.ts";

/** A part of a run's page under a heading of its own. */
export interface PagePart {
  readonly id: string;
  readonly heading: string;
  readonly content: Html;
}

/** A run as a page by itself, of any state of it. */
export async function runPage(view: RunView): Promise<string> {
  const parts = await pageParts(view);
  const body = html`${pageHeader(view, parts)}
    <main>${parts.map(({ content }) => content)}</main>`;
  return documentOf(titleOf(view), body);
}

/** Title, lead and contents; `state` stands between them where the page is one that grows. */
export function pageHeader(view: RunView, parts: readonly PagePart[], state?: Html): Html {
  return html`<header>
    <h1>${titleOf(view)}</h1>
    <p class="lead">${leadOf(view)}</p>
    ${state}
    <nav aria-label="Parts of this page">
      <ul>
        ${parts.map(({ id, heading }) => html`<li><a href="#${id}">${heading}</a></li>`)}
      </ul>
    </nav>
  </header>`;
}

/** The parts of the page that have anything to show. */
export async function pageParts(view: RunView, draw: DrawPlot = drawForPage): Promise<readonly PagePart[]> {
  const { verdict, front, texts, benchmarks, facts, searched, changes, whyNoCoefficients: none } = view;
  const plots = plotsOf(view);
  const parts: readonly (readonly [id: string, heading: string, ...content: HtmlValue[]])[] = [
    ["verdict", "What was found", await figuresOf(plots.verdict, draw), verdictPart(verdict)],
    ["search", "The search", sentences(searched), await figuresOf(plots.search, draw)],
    [
      "coefficients",
      "Coefficients",
      none === null ? undefined : sentences([none]),
      await figuresOf(plots.coefficients, draw),
    ],
    ["rows", "Rows won and lost", await figuresOf(plots.rows, draw), changes ? changedRows(changes) : undefined],
    [
      "front",
      "The front",
      ...(front
        ? [html`<p>${excerptOf(front.sentence, SENTENCE)}</p>`, tableOf("Members of the front", front.table)]
        : []),
    ],
    [
      "texts",
      "Texts",
      ...(texts ? [html`<p>${excerptOf(texts.sentence, SENTENCE)}</p>`, tableOf("ROUGE of texts", texts.table)] : []),
    ],
    ["benchmarks", "Benchmarks", ...benchmarks.map(benchmarkPart)],
    ["time", "Time and machine", sentences(facts), await figuresOf(plots.time, draw)],
    ["next", "Recipe and commands", stepsPart(view), recipeOf(view.recipe)],
  ];
  return parts
    .filter(([, , ...content]) => content.some((value) => value !== undefined))
    .map(([id, heading, ...content]) => ({ id, heading, content: section(id, heading, ...content) }));
}

export function titleOf({ name, winner }: Pick<RunView, "name" | "winner">): string {
  return `${excerptOf(name, 100)}, ${winner === null ? "no winner yet" : `winner: ${winner}`}`;
}

/** What a reader in a hurry should know. */
function leadOf({ winner, verdict, course }: RunView): string {
  if (winner === null) {
    return course.generations === 0
      ? "Nothing was searched yet."
      : "The search is not over; what it has found so far is not compared yet.";
  }
  if (!verdict) return "The winner has not met the guard rows, which judge it.";
  const combined = verdict.gains.filter(({ task }) => task === null);
  const count = (wanted: string): number => combined.filter(({ judgement }) => judgement === wanted).length;
  const [better, worse] = [count("better"), count("worse")];
  return `On rows that the search never saw, the winner is significantly better than ${better} of the ${combined.length} models that it was compared with${worse > 0 ? `, and worse than ${worse}` : ""}.`;
}

function verdictPart(verdict: RunView["verdict"]): HtmlValue {
  if (!verdict) return html`<p>The guard rows, which judge the winner, have not been scored.</p>`;
  return html`${tableOf("All models on the guard rows", verdict.table)}
    <p class="note">
      Rows that the search never saw. ${excerptOf(verdict.loss, SENTENCE)} Losses with 95 % interval, lower is better;
      combined is 1 for the uniform average on the search rows. Rows of one group count once, p-values are corrected for
      the number of models (Holm), and percentages are of the other model's loss.
    </p>
    ${sentences(verdict.sentences)}`;
}

function benchmarkPart({ tasks, said, provenance }: RunView["benchmarks"][number]): Html {
  return html`${tasks.map(
      ({ task, table, sentences: own }) =>
        html`<h3>${excerptOf(task, 100)}</h3>
          ${tableOf(task, table)}${sentences(own)}`,
    )}${sentences(said)}
    <p class="note">${withCode(excerptOf(provenance, SENTENCE))}</p>`;
}

function stepsPart({ steps }: RunView): HtmlValue {
  return steps.map(
    ([command, purpose]) =>
      html`<p>To ${purpose}:</p>
        <pre tabindex="0">${command}</pre>`,
  );
}
