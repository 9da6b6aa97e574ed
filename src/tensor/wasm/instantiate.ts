/** A memory that functions of WebAssembly compute in. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** What Node has and its types leave to those of browsers. */
const { Memory, Module, Instance } = Reflect.get(globalThis, "WebAssembly") as {
  readonly Memory: new (size: { initial: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

const PAGE = 2 ** 16;

/** At least so many bytes of zeros. */
export function wasmMemory(bytes: number): WasmMemory {
  return new Memory({ initial: Math.max(1, Math.ceil(bytes / PAGE)) });
}

/** Makes a memory at least so large; its earlier buffer is detached where it must grow. */
export function growTo(memory: WasmMemory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
}

/** By the bytes of a module. Code that is kept is soon compiled well; new code is compiled fast, and runs slowly. */
const compiled = new Map<string, object>();

/** The function of a module of `assemble`, over that memory; equal modules are compiled once a thread. */
export function instantiate(module: Uint8Array<ArrayBuffer>, memory: WasmMemory): (...numbers: number[]) => number {
  const key = Buffer.from(module.buffer).toString("latin1");
  const known = compiled.get(key) ?? new Module(module);
  compiled.set(key, known);
  return new Instance(known, { env: { memory } }).exports["run"] as (...numbers: number[]) => number;
}
