import { UserError } from "../../errors.ts";
import { parseJson } from "../../files/json.ts";
import { isJsonObject } from "../../files/json-object.ts";
import { fetchAbout, pageOf, type Subject } from "./explain-refusal.ts";
import type { Hub } from "./hub.ts";

/** Of a listing: 500,000 files. */
const MOST_PAGES = 10_000;
/** Of all pages of a listing together: that of 500,000 files with their commits. */
const MOST_CHARACTERS = 2 ** 28;
/** A listing may take so many times as long as one answer may. */
const MOST_PATIENCES = 60;

/**
 * A fetch for answers of the Hub's API about the subject, for a client that believes what it is given. Refused with a
 * UserError: what comes from another host, what is not JSON, is not an object, or not a list where `isListing`. A listing
 * must come to its end too: on each page something new, and neither too many pages nor too slowly.
 */
export function fetchAnswers(
  hub: Hub,
  subject: Subject,
  signal: AbortSignal | undefined,
  isListing: boolean,
): typeof globalThis.fetch {
  const page = pageOf(hub, subject);
  const { origin } = new URL(hub.endpoint);
  const refuseOther = (url: string): void => {
    const other = new URL(url).origin;
    if (other === origin) return;
    throw new UserError(
      `${page}: ${origin} passes us on to ${other}; if that is the Hub to trust, set HF_ENDPOINT to it`,
    );
  };
  const fetch = fetchAbout(hub, subject, signal, async (...request) => {
    const answer = await hub.fetch(...request);
    // Empty where no request was made for it.
    if (answer.url !== "") refuseOther(answer.url);
    return answer;
  });
  const end = isListing ? endOf(page, hub.pace.patienceMs) : undefined;
  return async (input, init) => {
    const { href } = new URL(input instanceof Request ? input.url : input);
    refuseOther(href);
    end?.before(href);
    const answer = await fetch(input, init);
    const text = await answer.text();
    const value = parseJson(text, page, "an answer of the Hub in JSON");
    const isExpected = isListing ? Array.isArray(value) : isJsonObject(value);
    if (!isExpected) throw new UserError(`${page}: expected a JSON ${isListing ? "list" : "object"} from the Hub`);
    end?.after(text, (value as unknown[]).length === 0 && answer.headers.has("link"));
    return new Response(text, { headers: answer.headers });
  };
}

/** Sees to it that a listing ends; told of each of its pages before and after. */
function endOf(
  page: string,
  patienceMs: number,
): { before(url: string): void; after(text: string, isVain: boolean): void } {
  const fault = (text: string): UserError => new UserError(`${page}: the Hub's list of files ${text}`);
  const deadline = performance.now() + MOST_PATIENCES * patienceMs;
  const seen = new Set<string>();
  let characters = 0;
  return {
    before(url) {
      if (seen.has(url)) throw fault("comes back to a page that it has given already");
      if (seen.add(url).size > MOST_PAGES) throw fault(`has more than ${MOST_PAGES} pages`);
      if (performance.now() > deadline) throw fault(`takes more than ${(MOST_PATIENCES * patienceMs) / 1000} s`);
    },
    after(text, isVain) {
      characters += text.length;
      if (characters > MOST_CHARACTERS) throw fault(`has more than ${MOST_CHARACTERS / 2 ** 20} MiB`);
      if (isVain) throw fault("goes on after an empty page");
    },
  };
}
