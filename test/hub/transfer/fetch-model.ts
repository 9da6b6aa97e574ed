/** A process that fetches all files of org/name; the environment says from where and to where. Prints the folder. */
import { stdout } from "node:process";
import { fetchFiles } from "../../../src/hub/transfer/fetch-files.ts";
import { openHub } from "../../../src/hub/api/hub.ts";
import { openRepository } from "../../../src/hub/cache/repository.ts";

const hub = await openHub(process.env, { backoffMs: 1 });
const repository = await openRepository(hub, "model", { name: "org/name", revision: "main" });
stdout.write(await fetchFiles(hub, repository, repository.files));
