/** A file of the safetensors format: u64 length, header (JSON text, or a value to be written as JSON), data. */
export function safetensorsBytes(header: string | Uint8Array | object, dataBytes = 0): Uint8Array<ArrayBuffer> {
  const json = header instanceof Uint8Array || typeof header === "string" ? header : JSON.stringify(header);
  const headerBytes = Buffer.from(json);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(headerBytes.length));
  const data = new Uint8Array(dataBytes).map((_, i) => i);
  return new Uint8Array(Buffer.concat([length, headerBytes, data]));
}
