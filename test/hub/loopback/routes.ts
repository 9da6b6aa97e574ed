import { json, redirect, Refusal, type Answer } from "./answer.ts";
import { object, raw, resolved } from "./downloads.ts";
import { information } from "./information.ts";
import { commitsPage, pathsInfo, treePage } from "./listings.ts";
import {
  callerOf,
  keyOf,
  requireWriter,
  visibleRepository,
  type HubRequest,
  type Parameters,
  type Place,
  type Registry,
} from "./registry.ts";
import type { RepositoryType } from "./repository.ts";
import { createRepository, lfsBatch, newCommit, preupload, receiveObject } from "./uploads.ts";

type Handler = (registry: Registry, request: HubRequest, parameters: Parameters) => Answer | Promise<Answer>;
type RepositoryHandler = (registry: Registry, request: HubRequest, place: Place) => Answer | Promise<Answer>;

interface Route {
  readonly methods: readonly string[];
  /** Matches the path while it is still percent-encoded, so that an encoded slash stays within its part. */
  readonly pattern: RegExp;
  readonly handle: Handler;
}

const api = String.raw`/api/(?<kind>models|datasets)/(?<name>[^/]+/[^/]+)`;
const site = String.raw`/(?:(?<kind>datasets)/)?(?<name>[^/]+/[^/]+)`;
const get = ["GET", "HEAD"];

const routes: readonly Route[] = [
  { methods: get, pattern: /^\/api\/whoami-v2$/, handle: whoAmI },
  { methods: ["POST"], pattern: /^\/api\/repos\/create$/, handle: createRepository },
  { methods: get, pattern: /^\/lfs\/(?<sha256>\w+)$/, handle: object },
  { methods: ["PUT"], pattern: /^\/lfs\/(?<sha256>\w+)$/, handle: receiveObject },
  { methods: ["POST"], pattern: /^\/lfs\/verify$/, handle: () => json({}) },
  reading(`${api}(?:/revision/(?<revision>[^/]+))?`, information),
  reading(`${api}/tree/(?<revision>[^/]+)(?:/(?<path>.+))?`, treePage),
  reading(`${api}/paths-info/(?<revision>[^/]+)`, pathsInfo, ["POST"]),
  reading(`${api}/commits/(?<revision>[^/]+)`, commitsPage),
  reading(`${site}/resolve/(?<revision>[^/]+)/(?<path>.+)`, resolved),
  reading(`${site}/raw/(?<revision>[^/]+)/(?<path>.+)`, raw),
  writing(`${api}/preupload/(?<revision>[^/]+)`, preupload),
  writing(`${site}\\.git/info/lfs/objects/batch`, lfsBatch),
  writing(`${api}/commit/(?<revision>[^/]+)`, newCommit),
];

/** Answers a request; whatever is wrong with it becomes an answer too. */
export async function answer(registry: Registry, request: HubRequest): Promise<Answer> {
  const { method, url } = request;
  try {
    for (const { methods, pattern, handle } of routes) {
      const match = pattern.exec(url.pathname);
      if (match && methods.includes(method)) return await handle(registry, request, decoded(match.groups));
    }
    throw new Refusal(404, `No ${method} ${url.pathname} here`);
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    return json({ error: error instanceof Error ? error.stack : String(error) }, { status: 500 });
  }
}

function reading(pattern: string, handle: RepositoryHandler, methods = get): Route {
  return {
    methods,
    pattern: new RegExp(`^${pattern}$`),
    handle: (registry, request, parameters) => {
      const { name = "", kind, revision = "main", path = "" } = parameters;
      const type: RepositoryType = kind === "datasets" ? "dataset" : "model";
      const now = registry.renamed.get(keyOf(type, name)) ?? name;
      const repository = visibleRepository(registry, request, { type, name: now });
      if (now !== name) return redirect(307, request.url.href.replace(`/${name}`, `/${now}`));
      return handle(registry, request, { repository, revision, path });
    },
  };
}

function writing(pattern: string, handle: RepositoryHandler): Route {
  return reading(
    pattern,
    (registry, request, place) => {
      requireWriter(registry, request, place.repository.name);
      return handle(registry, request, place);
    },
    ["POST"],
  );
}

function decoded(groups: Readonly<Record<string, string | undefined>> = {}): Parameters {
  const given = Object.entries(groups).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, decodeURIComponent(value)]));
}

function whoAmI(registry: Registry, request: HubRequest): Answer {
  const caller = callerOf(registry, request);
  if (!caller) throw new Refusal(401, "Invalid username or password.");
  const { name, organisations = [], role = "write" } = caller;
  return json({
    type: "user",
    id: name,
    name,
    fullname: name,
    orgs: organisations.map((organisation) => ({ type: "org", id: organisation, name: organisation })),
    auth: { type: "access_token", accessToken: { displayName: "test", role, createdAt: "2024-01-01T00:00:00.000Z" } },
  });
}
