import type { IncomingHttpHeaders } from "node:http";
import { Refusal } from "./answer.ts";
import type { Content } from "./content.ts";
import type { Commit, LoopbackRepository, RepositoryType } from "./repository.ts";

/** Who a token belongs to and what it opens. */
export interface Token {
  readonly name: string;
  /** Organisations that the user is a member of. */
  readonly organisations?: readonly string[];
  /** Repositories of others that are open to the user: private ones, and gated ones that were granted. */
  readonly access?: readonly string[];
  /** `write` unless given. */
  readonly role?: "read" | "write";
}

/** All that the server holds. */
export interface Registry {
  readonly url: string;
  /** Where LFS files lie: another origin, as it is at the Hub, so that clients keep their token from it. */
  readonly storageUrl: string;
  /** By `model org/name` or `dataset org/name`. */
  readonly repositories: Map<string, LoopbackRepository>;
  /** What a repository is called now, by the key it had. */
  readonly renamed: Map<string, string>;
  readonly tokens: Map<string, Token>;
  /** Content of LFS files by SHA-256: those that a redirect named and those that were uploaded. */
  readonly objects: Map<string, Content>;
  /** Entries on a page of a listing. */
  pageSize: number;
}

/** A request as the routes see it. */
export interface HubRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The named parts of an address, decoded. */
export type Parameters = Readonly<Record<string, string>>;

/** What the address of a request names; `revision` is `main` and `path` empty where the address has none. */
export interface Place {
  readonly repository: LoopbackRepository;
  readonly revision: string;
  readonly path: string;
}

export function keyOf(type: RepositoryType, name: string): string {
  return `${type} ${name}`;
}

/** The owner of the request's token; undefined for an anonymous request, 401 for a token that nobody has. */
export function callerOf({ tokens }: Registry, { headers }: HubRequest): Token | undefined {
  if (headers.authorization === undefined) return undefined;
  const token = tokens.get(headers.authorization.replace(/^Bearer /, ""));
  if (!token) throw new Refusal(401, "Invalid credentials in Authorization header");
  return token;
}

/** The repository, if the caller may know of it; the Hub tells an anonymous caller no more than 401. */
export function visibleRepository(
  registry: Registry,
  request: HubRequest,
  at: { type: RepositoryType; name: string },
): LoopbackRepository {
  const caller = callerOf(registry, request);
  const repository = registry.repositories.get(keyOf(at.type, at.name));
  if (repository && (!repository.description.private || isOpenTo(repository, caller))) return repository;
  if (!caller) throw new Refusal(401, "Invalid username or password.");
  throw new Refusal(404, "Repository not found", "RepoNotFound");
}

/** Refuses the content of gated and disabled repositories. */
export function requireContent(registry: Registry, request: HubRequest, repository: LoopbackRepository): void {
  const { name, type } = repository;
  const { disabled, gated } = repository.description;
  if (disabled) throw new Refusal(403, "Access to this resource is disabled.");
  const caller = callerOf(registry, request);
  if (!gated || isOpenTo(repository, caller)) return;
  const start = `Access to ${type} ${name} is restricted`;
  if (!caller) throw new Refusal(401, `${start}. You must have access to it and be authenticated.`, "GatedRepo");
  throw new Refusal(403, `${start} and you are not in the authorized list.`, "GatedRepo");
}

/** Refuses whoever may not write to the namespace of `name`, and returns who may. */
export function requireWriter(registry: Registry, request: HubRequest, name: string): Token {
  const caller = callerOf(registry, request);
  if (!caller) throw new Refusal(401, "Invalid username or password.");
  if (caller.role !== "read" && isMember(caller, name)) return caller;
  throw new Refusal(403, `You don't have the rights to write to ${name} with this token.`);
}

/** The commit that the revision names. */
export function commitAt({ repository, revision }: Place): Commit {
  const commit = repository.find(revision);
  if (!commit) throw new Refusal(404, `Invalid rev id: ${revision}`, "RevisionNotFound");
  return commit;
}

function isOpenTo({ name }: LoopbackRepository, caller: Token | undefined): boolean {
  return caller !== undefined && (isMember(caller, name) || (caller.access ?? []).includes(name));
}

function isMember({ name, organisations = [] }: Token, repository: string): boolean {
  const namespace = repository.split("/")[0]!;
  return namespace === name || organisations.includes(namespace);
}
