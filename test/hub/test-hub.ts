import { openHub, type Hub } from "../../src/hub/api/hub.ts";
import type { RequestPace } from "../../src/hub/api/retrying-fetch.ts";
import { LoopbackHub } from "./loopback-hub.ts";

/** The Hub at the server, with a cache in the folder, waiting no longer than a test can. */
export function testHub(
  { url }: Pick<LoopbackHub, "url">,
  folder: string,
  { environment = {}, pace = {} }: { environment?: NodeJS.ProcessEnv; pace?: Partial<RequestPace> } = {},
): Promise<Hub> {
  return openHub(
    { HOME: folder, HF_ENDPOINT: url, HF_HUB_CACHE: `${folder}/cache`, ...environment },
    { backoffMs: 1, patienceMs: 60_000, ...pace },
  );
}

/** An address of this machine where nobody answers. */
export async function nowhere(): Promise<{ readonly url: string }> {
  await using server = await LoopbackHub.start();
  return { url: server.url };
}
