import type { LoopbackHub, RawAnswer } from "./loopback-hub.ts";
import { bomb, endless, forever, json, redirect, text } from "./loopback/raw-answers.ts";

/** Servers at hand, and the commit of the repository. */
export interface Place {
  readonly server: LoopbackHub;
  /** Another host, to which nothing that is secret may go. */
  readonly stranger: LoopbackHub;
  readonly commit: string;
}

/** What the Hub says, and what must come of it: a sentence, or the right files all the same. */
export type Hostility = readonly [
  name: string,
  answer: (place: Place) => RawAnswer,
  outcome: RegExp | "fetched",
  /** Where it must come to its end. */
  patienceMs?: number,
];

export const WEIGHTS = "weights of some kilobytes ".repeat(400);

const information =
  (changes: object) =>
  ({ commit }: Place): RawAnswer =>
    json({
      _id: "1",
      id: "org/name",
      sha: commit,
      private: false,
      gated: false,
      disabled: false,
      lastModified: "2024-01-01T00:00:00.000Z",
      ...changes,
    });

const sha1 = "0123456789".repeat(4);
const file = { type: "file", path: "config.json", size: 2, oid: sha1 };
const listing =
  (...files: object[]) =>
  (): RawAnswer =>
    json(files.map((changes) => ({ ...file, ...changes })));
const noPath = /cannot be: expected a path inside the repository$/;

/** Where the tree of a repository is asked for again and again, each time by another address. */
const turnable =
  (filesOf: (page: number) => object[]) =>
  ({ server }: Place): RawAnswer => {
    let page = 0;
    return (request, response) => {
      const link = `<${server.url}/api/models/org/name/tree/main?cursor=${++page}>; rel="next"`;
      return json(filesOf(page), { link })(request, response);
    };
  };

/** What is said of the repository. */
export const ofTheDescription: readonly Hostility[] = [
  [
    "JSON without end",
    () => endless('{"a":"', "a".repeat(2 ** 16)),
    /expected an answer of at most 16 MiB, found more; check that HF_ENDPOINT is a Hub$/,
  ],
  [
    "JSON without end, byte by byte",
    () => endless('{"a":"', "a", 5),
    /no answer in 0\.4 s after 6 tries; check the network/,
    400,
  ],
  ["a bomb of gzip", () => bomb("gzip"), /expected an answer of at most 16 MiB, found more/],
  ["a bomb of brotli", () => bomb("br"), /expected an answer of at most 16 MiB, found more/],
  [
    "nesting without end",
    () => text("[".repeat(10_000_000)),
    /expected an answer of the Hub in JSON: found nested more than 100 deep$/,
  ],
  ["nested objects", () => text('{"a":'.repeat(1_000_000)), /found nested more than 100 deep$/],
  [
    "a page of HTML",
    () => text("<html>\u001B[2Jlogin</html>", { "content-type": "text/html" }),
    /in JSON: this is not JSON from character 1 on$/,
  ],
  ["HTML that claims to be JSON", () => text("<html>"), /this is not JSON from character 1 on$/],
  ["nothing", () => text(""), /this JSON ends too early$/],
  ["no content", () => text("", {}, 204), /this JSON ends too early$/],
  [
    "a body that is cut off",
    () => text("{", { "content-length": "100", connection: "close" }),
    /after 6 tries; check the network/,
  ],
  ["null", () => text("null"), /expected a JSON object from the Hub$/],
  ["a list", () => text("[]"), /expected a JSON object from the Hub$/],
  ["bytes that are no text", () => text(Buffer.from([0x7b, 0xff, 0xfe])), /this is not JSON from character 2 on$/],
  ["broken gzip", () => text("no gzip", { "content-encoding": "gzip" }), /after 6 tries; check the network/],
  [
    "a commit that is a path",
    information({ sha: "../../../../outside" }),
    /has '\.\.\/.*outside' as sha, which cannot be/,
  ],
  ["a commit that is none", information({ sha: undefined }), /has undefined as sha, which cannot be/],
  [
    "a commit of 10 million characters",
    information({ sha: "a".repeat(1e7) }),
    /has 'a{100}'\.\.\. 9999900 more characters as sha/,
  ],
  ["a name that is a path", information({ id: "../outside" }), /has '\.\.\/outside' as name, which cannot be/],
  ["a name with a path within", information({ id: "org/..%2f..%2foutside" }), /as name, which cannot be/],
  [
    "an access that is none",
    information({ gated: "\u001B]0;x\u0007" }),
    /has '\\x1B\]0;x\\x07' as gated, which cannot be/,
  ],
  ["tags that are none", information({ tags: [1, { a: [] }] }), "fetched"],
  ["parameters of 1e308", information({ safetensors: { total: 1e308 } }), "fetched"],
  ["keys of the prototype", information({ ["__proto__"]: 1, constructor: { prototype: 1 } }), "fetched"],
  [
    "a redirect to another host",
    ({ stranger }) => redirect(`${stranger.url}/api/models/org/name`),
    /passes us on to http:\/\/127\.0\.0\.1:\d+; if that is the Hub to trust, set HF_ENDPOINT to it$/,
  ],
  [
    "a redirect to itself",
    () => (request, response) => redirect(request.url ?? "")(request, response),
    /redirect count exceeded after 6 tries/,
  ],
  ["a redirect to a file", () => redirect("file:///etc/passwd"), /after 6 tries; check the network/],
  ["a redirect to data", () => redirect("data:application/json,{}"), /after 6 tries; check the network/],
  ["a redirect to nowhere", () => redirect("http://"), /after 6 tries; check the network/],
  [
    "429 for a year",
    () => text("{}", { "retry-after": "31536000" }, 429),
    /answered 429; try again in 31536000 s, as it asks/,
  ],
  ["429 for ever", () => text("{}", {}, 429), /answered 429 after 6 tries; try again later/],
  ["429 until no day", () => text("{}", { "retry-after": "-1e308" }, 429), /answered 429 after 6 tries/],
  [
    "429 until the year 9999",
    () => text("{}", { "retry-after": "Fri, 31 Dec 9999 23:59:59 GMT" }, 429),
    /answered 429; try again in \d+ s, as it asks/,
  ],
  ["500 for ever", () => text("{}", {}, 500), /answered 500 after 6 tries; try again later$/],
  [
    "a refusal with a message for the terminal",
    () => text("{}", { "x-error-message": "\u009B2J".repeat(500) }, 418),
    /answered 418 \('/,
  ],
  [
    "a refusal without end",
    () => async (_, response) => {
      response.writeHead(403);
      await forever(response, () => "a".repeat(2 ** 16));
    },
    /expected an answer of at most 16 MiB, found more/,
  ],
  ["headers without end", () => text("{}", { "x-a": "a".repeat(100_000) }), /after 6 tries; check the network/],
  ["no answer", () => () => {}, /no answer in 0\.4 s after 6 tries/, 400],
  ["a connection that is closed", () => (_, response) => response.destroy(), /after 6 tries; check the network/],
  [
    "something that is no HTTP",
    () => (_, response) => response.socket?.end("SSH-2.0-x\r\n\r\n"),
    /after 6 tries; check the network/,
  ],
];

/** What is said of its files. */
export const ofTheFiles: readonly Hostility[] = [
  [
    "pages that lead to themselves",
    ({ server, commit }) =>
      json([file], {
        link: `<${server.url}/api/models/org/name/tree/${commit}?recursive=true&expand=false>; rel="next"`,
      }),
    /comes back to a page that it has given already$/,
  ],
  ["empty pages without end", turnable(() => []), /goes on after an empty page$/],
  ["folders without end", turnable((page) => [{ type: "directory", path: `a${page}` }]), /has more than 10000 pages$/],
  ["files without end", turnable((page) => [{ ...file, path: `a${page}` }]), /has more than 10000 pages$/],
  [
    "a next page on another host",
    ({ stranger }) => json([file], { link: `<${stranger.url}/x>; rel="next"` }),
    /passes us on to http:\/\/127\.0\.0\.1:\d+; if that is the Hub to trust, set HF_ENDPOINT to it$/,
  ],
  ["an object", () => json({ a: 1 }), /expected a JSON list from the Hub$/],
  ["a string", () => json("config.json"), /expected a JSON list from the Hub$/],
  ["a million of nothing", () => json(Array(1_000_000).fill(null)), /which cannot be: /],
  ["eleven million lists", () => text(`[${"[],".repeat(5_500_000)}[]]`), /found more than 10000000 values$/],
  ["a negative size", listing({ size: -1 }), /has -1 as size, which cannot be/],
  ["a size of 1e308", listing({ size: 1e308 }), /has 1e\+308 as size, which cannot be/],
  ["a size of half a byte", listing({ size: 0.5 }), /has 0\.5 as size, which cannot be/],
  ["a size that is a text", listing({ size: "2" }), /has '2' as size, which cannot be/],
  ["a size of a petabyte", listing({ size: 2 ** 50 }), /config\.json/],
  ["a path that leads out", listing({ path: "../outside" }), noPath],
  ["a path that leads out later", listing({ path: "a/../../outside" }), noPath],
  ["an absolute path", listing({ path: "/outside" }), noPath],
  ["a path with NUL", listing({ path: "config.json\0" }), noPath],
  ["a path with a line end", listing({ path: "a\nb" }), noPath],
  ["a path with backslashes", listing({ path: "..\\outside" }), noPath],
  ["a path on a drive", listing({ path: "C:outside" }), noPath],
  ["an empty path", listing({ path: "" }), noPath],
  ["a path of folders alone", listing({ path: "a/" }), noPath],
  ["a path of 100,000 characters", listing({ path: "a".repeat(100_000) }), /which cannot be: /],
  ["a file that is listed twice", listing({}, {}), /the Hub lists 'config\.json' twice$/],
  [
    "a file that is a folder too",
    listing(
      { path: "a", size: 0, oid: "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391" },
      { path: "a/b", size: 0, oid: "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391" },
    ),
    /a\/?b?: /,
  ],
  ["an object id that is a path", listing({ oid: "../../../outside" }), /as oid, which cannot be/],
  ["a digest that is a path", listing({ lfs: { oid: "../../../outside", size: 2 } }), /as lfs\.oid, which cannot be/],
  [
    "a last page that is HTML",
    ({ server }) =>
      (request, response) =>
        request.url?.includes("cursor")
          ? text("<html>")(request, response)
          : json([file], { link: `<${server.url}/api/models/org/name/tree/main?cursor=1>; rel="next"` })(
              request,
              response,
            ),
    /this is not JSON from character 1 on$/,
  ],
];

/** What is given as the content of the weights. */
export const ofTheContent: readonly Hostility[] = [
  [
    "other bytes",
    () => text("W".repeat(WEIGHTS.length)),
    /has sha256 [0-9a-f]{64}, twice, where the Hub lists [0-9a-f]{64}/,
  ],
  ["bytes without end", () => endless(WEIGHTS, "a".repeat(2 ** 16)), /has sha256 [0-9a-f]{64}, twice/],
  ["a bomb of gzip", () => bomb("gzip"), /has sha256 [0-9a-f]{64}, twice/],
  [
    "fewer bytes",
    () => text(WEIGHTS.slice(0, 100), { "content-length": String(WEIGHTS.length) }),
    /fewer than 4096 bytes in 0\.4 s, 5 times at byte 100 of 10400/,
    400,
  ],
  [
    "a page of HTML",
    () => text("<html>"),
    /: the connection ended early, 5 times at byte 6 of 10400; check the network/,
  ],
  [
    "one byte after another",
    () => endless("", "w", 5),
    /fewer than 4096 bytes in 0\.4 s, 5 times at byte \d+ of 10400/,
    400,
  ],
  ["the range of another file", () => text("x", { "content-range": "bytes 0-0/1" }, 206), /5 times at byte 0 of 10400/],
  [
    "a range that is none",
    () => text("x", { "content-range": "bytes 9-1/*, bytes -5" }, 206),
    /5 times at byte 0 of 10400/,
  ],
  [
    "a range that begins elsewhere",
    () => text(WEIGHTS.slice(5), { "content-range": `bytes 5-10399/10400` }, 206),
    /5 times at byte 0 of 10400/,
  ],
  ["a part without its range", () => text(WEIGHTS, {}, 206), /5 times at byte 0 of 10400/],
  ["no such range, for ever", () => text("{}", {}, 416), /answered 416; see /],
  [
    "a redirect to itself",
    () => (request, response) => redirect(request.url ?? "")(request, response),
    /redirect count exceeded/,
  ],
  ["a redirect to a file", () => redirect("file:///etc/passwd"), /after 6 tries|5 times at byte 0/],
  [
    "a redirect to a stranger who has the file",
    ({ stranger }) => {
      stranger.replace(() => true, text(WEIGHTS));
      return redirect(`${stranger.url}/weights`);
    },
    "fetched",
  ],
  [
    "a redirect to a stranger who has another",
    ({ stranger }) => {
      stranger.replace(() => true, text("V".repeat(WEIGHTS.length)));
      return redirect(`${stranger.url}/weights`);
    },
    /has sha256 [0-9a-f]{64}, twice/,
  ],
];
