/** The Hub's package, which is loaded when something is asked for: it takes longer to load than much of what needs no Hub. */
export const hubPackage = (): Promise<typeof import("@huggingface/hub")> => import("@huggingface/hub");
