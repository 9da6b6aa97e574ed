/** Bytes that this process may still take of the machine's memory, or of its container's. */
export function freeHostBytes(): number {
  return process.availableMemory();
}
