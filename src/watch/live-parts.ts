import { basename, resolve } from "node:path";
import { sha256Of } from "../files/sha256.ts";
import { documentOf } from "../report/page/document.ts";
import { type Html, html } from "../report/page/html.ts";
import type { PagePart } from "../report/page/run-page.ts";
import type { RunStatus } from "../report/runs/run-status.ts";
import { stateInWords, statusFacts } from "../report/runs/status-text.ts";
import { excerptOf, ShortNames } from "../report/view/short-text.ts";
import { PAGE_SCRIPT } from "./page-script.ts";

/** A part of a page that grows: where it stands, and what tells it from earlier ones. */
export interface LivePart {
  readonly id: string;
  readonly version: string;
  readonly content: Html;
}

/** The part above all others. */
const TOP = "top";
/** Of a sentence about what is amiss, which quotes names of strangers. */
const TROUBLE = 1000;

/** Parts in the order of the page, the header first. */
export function livePartsOf(header: Html, parts: readonly PagePart[]): readonly LivePart[] {
  return [{ id: TOP, content: header }, ...parts].map(({ id, content }) => {
    const version = sha256Of(content.toString()).slice(0, 16);
    return { id, version, content: html`<div data-part="${id}" data-version="${version}">${content}</div>` };
  });
}

/** The whole page as it is now, which goes on by its script. */
export function livePage(title: string, [top, ...others]: readonly LivePart[]): string {
  const body = html`<p id="connection" role="status"></p>
    ${top?.content}
    <main>${others.map(({ content }) => content)}</main>
    <noscript><p>Without scripts this page does not grow; load it again.</p></noscript>`;
  return documentOf(title, body, PAGE_SCRIPT);
}

/** How the run stands, in words that are read out when they change, and in numbers that are not. */
export function stateOf(status: RunStatus, trouble?: string): Html {
  const { share } = status;
  return html`<p class="state ${status.state}" role="status">${sentence(stateInWords(status))}</p>
    ${troubleOf(trouble)}
    ${
      share === undefined
        ? undefined
        : html`<progress
            max="1"
            value="${Math.min(1, share).toFixed(3)}"
            aria-label="Used part of the budget"
          ></progress>`
    }
    <dl>
      ${statusFacts(status, new ShortNames()).map(
        ([label, value]) =>
          html`<div>
            <dt>${label}</dt>
            <dd>${value}</dd>
          </div> `,
      )}
    </dl>`;
}

/** Of a folder without a run that could be shown. */
export function emptyHeader(folder: string, why: string): Html {
  return html`<header>
    <h1>${excerptOf(basename(resolve(folder)), 100)}</h1>
    <p class="state" role="status">${excerptOf(why, TROUBLE)}</p>
  </header>`;
}

function troubleOf(trouble: string | undefined): Html | undefined {
  return trouble === undefined
    ? undefined
    : html`<p role="status">What is below is as it was: ${excerptOf(trouble, TROUBLE)}</p>`;
}

function sentence(words: string): string {
  return excerptOf(`${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`, TROUBLE);
}
