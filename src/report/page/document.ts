import { createHash } from "node:crypto";
import { type Html, html, inlineScript, styleSheet } from "./html.ts";
import { STYLE } from "./style.ts";

/** By which a page is known for one that evomerge wrote: it stands near its beginning. */
export const PAGE_MARK = 'name="generator" content="evomerge"';

/** What a page may do: nothing is asked for and no script is run, but for one of ours, which may ask the server that the page is from. */
export function policyFor(script?: string): string {
  const ofScript = [`script-src ${hashOf(script ?? "")}`, "connect-src 'self'", "require-trusted-types-for 'script'"];
  return [
    "default-src 'none'",
    `style-src ${hashOf(STYLE)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    ...(script === undefined ? [] : [...ofScript, "trusted-types 'none'"]),
  ].join("; ");
}

/** A page by itself: nothing in it asks for another file, and its policy lets it do nothing else than `policyFor` says. */
export function documentOf(title: string, body: Html, script?: string): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policyFor(script)}" />
        <meta name="generator" content="evomerge" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        ${styleSheet(STYLE)}
      </head>
      <body>
        ${body}${script === undefined ? undefined : inlineScript(script)}
      </body>
    </html> `;
  return page.toString();
}

function hashOf(content: string): string {
  return `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
}
