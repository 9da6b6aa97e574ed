/** A process that takes the place of an export to a folder, says so and does no more until it is killed. */
import { argv, stdout } from "node:process";
import { ExportPlace } from "../../src/export/export-place.ts";

const [, , to = ""] = argv;
const place = await ExportPlace.take(to);
stdout.write(`${place.staged}\n`);
setInterval(() => {}, 1000);
