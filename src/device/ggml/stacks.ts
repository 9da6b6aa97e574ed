import koffi from "koffi";
import { UserError } from "../../errors.ts";

/** koffi's own stacks are small, and a GPU's driver compiles kernels on them. */
const STACK_BYTES = 8 * 2 ** 20;

/** Called before any library is loaded, since koffi takes no other size later. */
export function enlargeStacks(): void {
  const { sync_stack_size, async_stack_size } = koffi.config();
  if (Math.min(Number(sync_stack_size), Number(async_stack_size)) >= STACK_BYTES) return;
  try {
    koffi.config({ ...koffi.config(), sync_stack_size: STACK_BYTES, async_stack_size: STACK_BYTES });
  } catch (error) {
    throw new UserError(
      `engine ggml: another part of this process already calls koffi, with stacks of ${async_stack_size} bytes; set koffi.config() to a sync_stack_size and async_stack_size of at least ${STACK_BYTES} before its first library`,
      { cause: error },
    );
  }
}
