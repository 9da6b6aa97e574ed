/** Rows as a chat: what lm_eval's `--apply_chat_template` makes of them. */
import type { TaskRow } from "./rows.ts";

interface Turn {
  readonly role: "system" | "user";
  readonly content: string;
}

/** The whole context is the user's turn, but for a description of the task, which is the system's. */
export function turnsOf({ context, description = "" }: TaskRow): Turn[] {
  const turns: Turn[] = [
    { role: "system", content: description },
    { role: "user", content: context.slice(description.length) },
  ];
  return description === "" ? turns.slice(1) : turns;
}

/**
 * The row behind the rendered turns. Its answers follow the template's last words without a space; a text has the one that
 * its task writes in front of it.
 */
export function inChat(row: TaskRow, context: string): TaskRow {
  const { description: _, ...rest } = row;
  if (row.kind === "text") return { ...rest, context };
  const delimiter = row.delimiter ?? " ";
  return {
    ...rest,
    context,
    continuations: row.continuations.map((one) => one.slice(delimiter.length)),
    delimiter: "",
  };
}
