import { printable } from "../../files/printable.ts";

/** Markup that was written here. Its constructor is private to this file, so that no text of strangers becomes one. */
class Markup {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

export type Html = Markup;

/** What may stand in a template: markup as it is, text escaped, and lists of both; nothing where something is absent. */
export type HtmlValue = Html | string | number | undefined | readonly HtmlValue[];

/**
 * Markup from a template whose values are escaped, so that it cannot be forgotten; values of attributes stand between double
 * quotes. What would turn the text around it, and control characters, are shown as `printable` shows them.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Markup(parts.map((part, i) => `${part}${i < values.length ? markupOf(values[i]) : ""}`).join(""));
}

/** Drawings, which `renderPlot` alone makes; that it escapes what it is given is tested. */
export function drawing(svg: string): Html {
  if (!svg.startsWith("<svg ") || !svg.endsWith("</svg>")) throw new Error("html: expected a drawing");
  return new Markup(svg);
}

/** A style sheet of ours, as it is. */
export function styleSheet(css: string): Html {
  if (css.includes("<")) throw new Error("html: a style sheet ended by markup");
  return new Markup(`<style>${css}</style>`);
}

/** A script of ours, as it is. */
export function inlineScript(script: string): Html {
  if (/<[/!]/.test(script)) throw new Error("html: a script ended by markup");
  return new Markup(`<script>${script}</script>`);
}

function markupOf(value: HtmlValue): string {
  if (value === undefined) return "";
  if (value instanceof Markup) return value.toString();
  return Array.isArray(value) ? value.map(markupOf).join("") : escaped(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for markup, in elements and in attributes between quotes. */
export function escaped(text: string): string {
  return printable(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
