/**
 * PyTorch's libtorch_cpu, which has a oneDNN inside and exports none of it. What it exports rounds results to bf16
 * (`aoti_torch_cpu_mm_out`), or does without AMD's instructions for bf16 (MKL's `cblas_gemm_bf16bf16f32`). So oneDNN's C functions are
 * called where they lie, as a debugger calls them: the library's symbol table, which PyTorch's wheels have, says where that is.
 * They are compiled for callers in other files, as those of any oneDNN are; only the linker shows them to nobody.
 */
import koffi, { type LibraryHandle } from "koffi";
import { functionAt, signatureParts, type PlacedFunction } from "../c-functions.ts";
import { symbolsOf } from "./elf-symbols.ts";
import { bindOneDnn } from "./onednn.ts";
import type { ProductLibrary } from "./product-library.ts";

/** at::get_num_threads(), which every version exports: where it is tells where the library lies. */
const EXPORTED = "_ZN2at15get_num_threadsEv";

/** A library lies at the beginning of a page. */
const PAGE_BYTES = 4096n;

/** Undefined where the library is another one. Throws where it is PyTorch's, and no oneDNN can be called in it. */
export function bindTorch(library: LibraryHandle, file: string): ProductLibrary | undefined {
  const exported = addressOf(library, EXPORTED);
  if (exported === undefined) return undefined;
  if (!file.includes("/")) throw new Error("expected the whole path of PyTorch's library, whose symbol table is read");
  const symbols = symbolsOf(file, ["dnnl_", EXPORTED]);
  const start = exported - (symbols.get(EXPORTED) ?? exported);
  const isPlace = start !== 0n && start % PAGE_BYTES === 0n;
  const own = isPlace && bindOneDnn((signature) => findAt(start, symbols, signature));
  if (!own) throw new Error("expected oneDNN in PyTorch's symbol table, as wheels of PyPI have it, found none");
  return { ...own, name: `${own.name} of PyTorch` };
}

function addressOf(library: LibraryHandle, name: string): bigint | undefined {
  try {
    return koffi.address(library.symbol(name));
  } catch {
    return undefined;
  }
}

function findAt(start: bigint, symbols: ReadonlyMap<string, bigint>, signature: string): PlacedFunction | undefined {
  const { name, result, parameters } = signatureParts(signature);
  const offset = symbols.get(name);
  return offset === undefined ? undefined : functionAt(start + offset, result, parameters);
}
