/** A memory that functions of WebAssembly compute in. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

export type WasmRun = (...numbers: number[]) => number;

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

/** A module of `assemble` under a name that tells it from all others: to assemble one takes longer than to merge a small weight. */
export interface NamedModule {
  readonly name: string;
  readonly assembled: () => Uint8Array<ArrayBuffer>;
}

/** By name. Code that is kept is soon compiled well; new code is compiled fast, and runs slowly. */
const compiled = new Map<string, object>();
const functions = new WeakMap<WasmMemory, Map<string, WasmRun>>();

/** The function of a module over that memory; a module is assembled and compiled once a thread. */
export function instantiate(module: NamedModule, memory: WasmMemory): WasmRun {
  const own = functions.get(memory) ?? new Map<string, WasmRun>();
  functions.set(memory, own);
  const known = own.get(module.name) ?? functionOf(module, memory);
  own.set(module.name, known);
  return known;
}

function functionOf({ name, assembled }: NamedModule, memory: WasmMemory): WasmRun {
  const known = compiled.get(name) ?? new Module(assembled());
  compiled.set(name, known);
  return new Instance(known, { env: { memory } }).exports["run"] as WasmRun;
}
