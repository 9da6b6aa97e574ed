import { z } from "zod";
import { showUntrusted } from "../files/show-untrusted.ts";
import type { RowScoring } from "../tasks/row-loss.ts";
import type { ParsedRow, RowFormat } from "../tasks/row-formats.ts";
import { quoteRow } from "../tasks/rows.ts";
import { callPlugin, found, messageOf } from "./call-plugin.ts";
import type { PluginLoss, PluginRow, TaskPlugin } from "./plugin.ts";

const text = z.string().min(1, "expected some text, found none");

const rowSchema = z
  .strictObject({
    context: text,
    answers: z.array(text).min(1).max(1000),
    label: z.int().min(0).default(0),
    data: z.json().optional(),
    group: z.string().optional(),
    passage: z.string().optional(),
  })
  .refine(({ answers, label }) => label < answers.length, "expected a label of one of the answers");

/** A format of rows that a plugin reads; its losses are checked whenever they are computed. */
export function pluginFormat(name: string, plugin: TaskPlugin): RowFormat {
  const schema = z.record(z.string(), z.unknown()).transform((values, context): ParsedRow => {
    const refuse = (message: string): never => {
      context.addIssue({ code: "custom", message: `the format ${name}: ${message}` });
      return z.NEVER;
    };
    let row: PluginRow;
    try {
      row = plugin.row(values);
    } catch (error) {
      return refuse(messageOf(error));
    }
    const parsed = rowSchema.safeParse(row);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return refuse(
        `it made of it ${showUntrusted(row)}: ${[issue?.path.join("."), issue?.message].filter(Boolean).join(": ")}`,
      );
    }
    const { answers, label, passage, group, data, context: prompt } = parsed.data;
    const scoring = scoringOf(name, plugin, row);
    const metrics = metricsOf(name, plugin, row);
    return {
      kind: answers.length > 1 ? "choice" : "text",
      context: prompt,
      answers,
      label,
      passage: passage ?? prompt,
      ...(group !== undefined && { group }),
      ...(data !== undefined && { data }),
      ...((scoring || metrics) && { scoring: { ...scoring, ...(metrics && { metrics }) } }),
    };
  });
  return { name, keys: [], rightAnswer: "", columns: new Set([...plugin.columns, "group"]), schema };
}

function scoringOf(name: string, plugin: TaskPlugin, row: PluginRow): RowScoring | undefined {
  const what = `the format ${name}`;
  const computed = (values: readonly number[]): PluginLoss =>
    callPlugin(
      `${what}: loss`,
      () => plugin.loss?.(row, values) ?? { loss: NaN, derivatives: [] },
      (made) => whyNoLoss(made, values),
    );
  const judged = (values: readonly number[]): boolean =>
    callPlugin(
      `${what}: isRight`,
      () => plugin.isRight?.(row, values) ?? false,
      (right) => (typeof right === "boolean" ? undefined : found("true or false", right)),
    );
  const hasLoss = plugin.loss !== undefined;
  const hasRight = plugin.isRight !== undefined;
  if (!hasLoss && !hasRight) return undefined;
  return {
    ...(hasLoss && {
      loss: (values) => computed(values).loss,
      derivative: (values) => [...computed(values).derivatives],
    }),
    ...(hasRight && { isRight: judged }),
  };
}

function metricsOf(name: string, plugin: TaskPlugin, row: PluginRow): RowScoring["metrics"] {
  if (!plugin.metrics) return undefined;
  return new Map(
    Object.entries(plugin.metrics).map(([metric, measure]) => [
      metric,
      (values: readonly number[]) =>
        callPlugin(
          `the format ${name}: metrics.${metric} of ${quoteRow(row)}`,
          () => measure(row, values),
          (made) => (Number.isFinite(made) ? undefined : found("a finite number", made)),
        ),
    ]),
  );
}

function whyNoLoss(made: PluginLoss, values: readonly number[]): string | undefined {
  if (!Number.isFinite(made.loss)) return found("a finite loss", made.loss);
  const { derivatives } = made;
  const isFit =
    Array.isArray(derivatives) && derivatives.length === values.length && derivatives.every(Number.isFinite);
  return isFit ? undefined : found(`${values.length} finite derivatives, one for each answer`, derivatives);
}
