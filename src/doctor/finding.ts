/** One thing that was looked at. */
export interface Finding {
  readonly name: string;
  /** Whether it works; what is optional may be absent. */
  readonly works: boolean;
  /** What was found, or what to do. */
  readonly detail: string;
}

/** A finding that is absent, for the reason of its error, where looking fails. */
export async function lookAt(name: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { name, works: true, detail: await look() };
  } catch (error) {
    return { name, works: false, detail: (error as Error).message };
  }
}
