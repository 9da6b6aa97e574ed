/** What options of a command line say, or why they say nothing. */
import { InvalidArgumentError } from "@commander-js/extra-typings";
import { durationSchema } from "../../config/duration.ts";
import { type EngineName, engineNames } from "../../device/engine-names.ts";
import { isPluginName, type PluginName } from "../../files/plugin-name.ts";
import type { GivenExpert } from "../commands/init.ts";
import { type MmluFormat, mmluFormats } from "../../tasks/row-formats.ts";
import { type Budget, MOST_EVALUATIONS } from "../../experiment/experiment.ts";

export function parseTime(text: string): Budget {
  const parsed = durationSchema.safeParse(text);
  if (parsed.success) return { seconds: parsed.data };
  const fault = parsed.error.issues.find(({ message }) => message.startsWith("expected"))?.message;
  throw new InvalidArgumentError(fault ?? "expected a time such as 90s, 10m, 1h");
}

/** The text of a time, once it is one. */
export function parseTimeText(text: string): string {
  parseTime(text);
  return text;
}

/** An expert of a new experiment, with a name of its own before `=` or without. */
export function parseGivenExpert(text: string, earlier: readonly GivenExpert[] = []): readonly GivenExpert[] {
  const [, name, model = text] = /^([\w.-]+)=(.*)$/s.exec(text) ?? [];
  if (model === "") throw new InvalidArgumentError("expected a folder or a name behind =");
  if (name !== undefined && earlier.some((other) => other.name === name))
    throw new InvalidArgumentError(`expected every name once, found ${name} twice`);
  return [...earlier, { ...(name !== undefined && { name }), model }];
}

/** Standard output has the result; a file called so is `./-`. */
export function parseEventsFile(text: string): string {
  if (text === "-") throw new InvalidArgumentError("expected a file");
  return text;
}

export function parseEngine(text: string): EngineName | PluginName {
  const name = engineNames.find((own) => own === text);
  if (name !== undefined || isPluginName(text)) return name ?? (text as PluginName);
  throw new InvalidArgumentError(`Allowed choices are ${engineNames.join(", ")}, and plugin/name.`);
}

export function parseFormat(text: string): MmluFormat | PluginName {
  const name = mmluFormats.find((own) => own === text);
  if (name !== undefined || isPluginName(text)) return name ?? (text as PluginName);
  throw new InvalidArgumentError(`Allowed choices are ${mmluFormats.join(", ")}, and plugin/name.`);
}

/** An option that may be given several times. */
export function parseEach(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}

export function parseCount(text: string): Budget {
  const evaluations = parsePositive(text);
  if (evaluations > MOST_EVALUATIONS) throw new InvalidArgumentError(`expected at most ${MOST_EVALUATIONS}`);
  return { evaluations };
}

export function parsePositive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("expected a whole number from 1");
  return value;
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError("expected a port: a whole number from 1 to 65535");
  return port;
}

const bytesPerUnit: Readonly<Record<string, number>> = {
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
};

/** A size as in `save_pretrained`. */
export function parseBytes(text: string): number {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)([KMG]i?B)$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(amount) * (bytesPerUnit[unit.toUpperCase()] ?? Number.NaN));
  if (!Number.isSafeInteger(bytes) || bytes < 1) throw new InvalidArgumentError("expected a size such as 500MB or 5GB");
  return bytes;
}

/** Weights by task, of which the command knows whether they may be. */
export function parseWeights(text: string, earlier: Readonly<Record<string, number>> = {}): Record<string, number> {
  const weights = new Map(Object.entries(earlier));
  for (const part of text.split(",")) {
    const [, task = "", number = ""] = /^(.+)=(.*)$/s.exec(part) ?? [];
    const weight = Number(number);
    if (task === "" || number.trim() === "" || !Number.isFinite(weight))
      throw new InvalidArgumentError("expected tasks and numbers, as in cosmosqa=2,xsum=1");
    if (weights.has(task)) throw new InvalidArgumentError(`expected every task once, found ${task} twice`);
    weights.set(task, weight);
  }
  return Object.fromEntries(weights);
}

export function parseSeed(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError("expected a whole number from 0");
  return value;
}
