import { UserError } from "../../errors.ts";

/** A file, here or on a server, of which parts can be read. */
export interface ByteSource {
  /** As people call it. */
  readonly path: string;
  /** Its size. */
  readonly bytes: number;
  /** Exactly `length` bytes from position `start`, which must be inside. */
  readonly read: (start: number, length: number) => Promise<Uint8Array>;
}

/** Reads a part whose place a stranger's file tells; a UserError, before it costs memory, where that is outside of the file. */
export function readInside(
  source: ByteSource,
  what: string,
  { start, length }: { readonly start: number; readonly length: number },
): Promise<Uint8Array> {
  if (!isInside(source, start, length))
    throw new UserError(
      `${source.path}: expected ${what} inside the ${source.bytes} bytes of the file, found ${length} bytes at ${start}; was it copied or downloaded in full?`,
    );
  return source.read(start, length);
}

function isInside({ bytes }: ByteSource, start: number, length: number): boolean {
  return [start, length].every((size) => Number.isSafeInteger(size) && size >= 0) && start + length <= bytes;
}
