/**
 * A process that waits for a line with the folder of a run and that of a model, as a JSON list, and exports the one to the
 * other. It says when it begins, when the weights are merged and, in one line, how it ended.
 */
import { once } from "node:events";
import { stdin, stdout } from "node:process";
import { exportRun } from "../../src/export/export-run.ts";

const [line] = (await once(stdin, "data")) as [Buffer];
const [run, to] = JSON.parse(line.toString()) as [string, string];
stdout.write("begins\n");
try {
  await exportRun(run, {
    to,
    onEvent: (event) => void (event.type === "progress" && event.share === 1 && stdout.write("merged\n")),
  });
  stdout.write("exported\n");
} catch (error) {
  stdout.write(`${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}\n`);
}
stdin.destroy();
