import { closeSync, openSync, readSync, statSync, utimesSync, writeSync } from "node:fs";

/** Flips a bit of one byte of a file, whose times stay as they were. */
export function flip(path: string, at: number): void {
  const { atime, mtime } = statSync(path);
  const descriptor = openSync(path, "r+");
  const byte = new Uint8Array(1);
  readSync(descriptor, byte, 0, 1, at);
  byte[0]! ^= 1;
  writeSync(descriptor, byte, 0, 1, at);
  closeSync(descriptor);
  utimesSync(path, atime, mtime);
}
