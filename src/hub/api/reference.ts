/** A repository of the Hugging Face Hub at a branch, a tag or a commit. */
export interface HubReference {
  /** Such as `mistralai/Mistral-7B-v0.1`. */
  readonly name: string;
  /** `main` unless given. */
  readonly revision: string;
}

const pattern = /^(?<name>[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)(?:@(?<revision>\w[\w./-]*))?$/;

/** Reads `org/name` or `org/name@revision`; undefined for any other text, such as an absolute path. */
export function parseReference(text: string): HubReference | undefined {
  const { name, revision = "main" } = pattern.exec(text)?.groups ?? {};
  return name === undefined || text.includes("..") ? undefined : { name, revision };
}

/** The text that `parseReference` reads. */
export function formatReference({ name, revision }: HubReference): string {
  return `${name}@${revision}`;
}

/** Whether the revision names a commit, which never changes. */
export function isPinned({ revision }: HubReference): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}
