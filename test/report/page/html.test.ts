import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drawing, html, styleSheet } from "../../../src/report/page/html.ts";

/** What a browser makes of escaped text. */
function unescaped(markup: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
  return markup.replaceAll(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => entities[name] ?? "");
}

describe("html", () => {
  test("escapes text in elements and in attributes", () => {
    const name = `<script>alert("1")</script> & 'x'`;
    expect(html`<b title="${name}">${name}</b>`.toString()).toBe(
      '<b title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;">&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;</b>',
    );
  });

  test("takes its own markup as it is, in lists too, and leaves out what is absent", () => {
    const items = ["a", "<b>"].map((item) => html`<i>${item}</i>`);
    expect(html`<p>${items}${undefined}${3}</p>`.toString()).toBe("<p><i>a</i><i>&lt;b&gt;</i>3</p>");
  });

  test("takes nothing for markup that only looks like it", () => {
    const forged = { toString: () => "<script>" } as unknown as string;
    expect(html`${[forged]}`.toString()).not.toContain("<script>");
    expect(html`${JSON.parse('{"markup":"<script>"}') as string}`.toString()).not.toContain("<script>");
  });

  test("shows what would turn the text around it", () => {
    expect(html`${"a\u202Eb\u0000c\n"}`.toString()).toBe("a\\u202Eb\\u0000c\n");
  });

  test("of any text there is no markup, and a browser reads the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("<", ">", "&", '"', "'", "&lt;", "#39;", "a", " ") }), (text) => {
        const markup = html`${text}`.toString();
        expect(markup).not.toMatch(/[<>"']/);
        expect(unescaped(markup)).toBe(text);
      }),
    );
  });

  test("takes drawings and style sheets that are whole", () => {
    expect(drawing("<svg ></svg>").toString()).toBe("<svg ></svg>");
    expect(() => drawing("<p></p>")).toThrow("expected a drawing");
    expect(() => styleSheet("a{}</style><script>")).toThrow("ended by markup");
  });
});
