import { createHash } from "node:crypto";
import { type Html, html, styleSheet } from "./html.ts";
import { STYLE } from "./style.ts";

/** By which a page is known for one that evomerge wrote: it stands near its beginning. */
export const PAGE_MARK = 'name="generator" content="evomerge"';

/** A page by itself: nothing in it asks for another file, and its policy lets nothing be asked for, nor any script be run. */
export function documentOf(title: string, body: Html): string {
  const hash = createHash("sha256").update(STYLE).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="generator" content="evomerge" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        ${styleSheet(STYLE)}
      </head>
      <body>
        ${body}
      </body>
    </html> `;
  return page.toString();
}
