/**
 * What the npm packages `@node-llama-cpp/*` hold and what their GPU backends want from the system: the one table that the
 * loader, `evomerge doctor` and the docs go by. `test/device/ggml/package-listings.json` has every file of theirs.
 * @module
 */

/** The ggml that `library.ts` describes. */
export const GGML_VERSION = "0.25.1";
/** The packages that carry it; package.json pins the same. */
export const PACKAGE_VERSION = "3.22.1";

/** A way to a GPU: shared libraries that must be on the system before the backend's own loads. */
export interface GpuApi {
  readonly title: string;
  /** The runtime, and the driver behind it, by the names that the backend was linked with. */
  readonly runtime: readonly string[];
  readonly driver: readonly string[];
  /** What to do where the runtime is missing. */
  readonly install: string;
  /** The least major version of NVIDIA's driver, which nvidia-smi tells. */
  readonly nvidiaDriver?: number;
  /** Environment variables that its backend is started with, unless they are set. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * A CUDA graph replays launches that read and write the same addresses. Each of our runs writes to tensors of its own: what ggml
 * compares before a run, a kilobyte a node, is never equal, or twice in a row by chance, for which it then records all launches.
 */
const withoutCudaGraphs = { GGML_CUDA_DISABLE_GRAPHS: "1" };

const onLinux = {
  cuda13: {
    title: "CUDA 13",
    runtime: ["libcudart.so.13", "libcublas.so.13"],
    driver: ["libcuda.so.1"],
    install:
      "install CUDA 13's runtime, or pip install nvidia-cuda-runtime nvidia-cublas and name its lib folder in LD_LIBRARY_PATH",
    nvidiaDriver: 580,
    settings: withoutCudaGraphs,
  },
  cuda12: {
    title: "CUDA 12",
    runtime: ["libcudart.so.12", "libcublas.so.12"],
    driver: ["libcuda.so.1"],
    install:
      "install CUDA 12's runtime, or pip install nvidia-cuda-runtime-cu12 nvidia-cublas-cu12 and name their lib folders in LD_LIBRARY_PATH",
    nvidiaDriver: 525,
    settings: withoutCudaGraphs,
  },
  vulkan: {
    title: "Vulkan",
    runtime: ["libvulkan.so.1"],
    driver: [],
    install: "install the Vulkan loader (Debian: libvulkan1) and the GPU's Vulkan driver",
  },
} as const satisfies Record<string, GpuApi>;

const onWindows = {
  cuda13: { ...onLinux.cuda13, runtime: ["cublas64_13.dll"], driver: ["nvcuda.dll"], install: "install CUDA 13" },
  cuda12: {
    ...onLinux.cuda12,
    runtime: ["cudart64_12.dll", "cublas64_12.dll"],
    driver: ["nvcuda.dll"],
    install: "install CUDA 12",
  },
  vulkan: { ...onLinux.vulkan, runtime: ["vulkan-1.dll"], install: "install the GPU's driver" },
} as const satisfies Record<string, GpuApi>;

const metal: GpuApi = { title: "Metal", runtime: [], driver: [], install: "update macOS" };

export interface GgmlPackage {
  /** Without the scope. */
  readonly name: string;
  /** `process.platform`-`process.arch`. */
  readonly platform: string;
  /** Where its libraries are. */
  readonly folder: string;
  /** Whether it has ggml itself and the backends for CPUs; an extension has a GPU's backend alone. */
  readonly core: boolean;
  readonly gpu?: { readonly backend: "cuda" | "vulkan" | "metal"; readonly api: GpuApi };
}

export type GpuPackage = GgmlPackage & Required<Pick<GgmlPackage, "gpu">>;

export function bringsGpu(row: GgmlPackage): row is GpuPackage {
  return row.gpu !== undefined;
}

const cuda13 = { backend: "cuda", api: onLinux.cuda13 } as const;
const cuda12 = { backend: "cuda", api: onLinux.cuda12 } as const;
const vulkan = { backend: "vulkan", api: onLinux.vulkan } as const;

/** Every package of this version for the platforms that Node has, on each in the order in which a GPU is looked for. */
export const packages: readonly GgmlPackage[] = [
  of("linux-x64-cuda", "linux-x64", { gpu: cuda13 }),
  // For CUDA 12; node-llama-cpp takes it where the backend of `-cuda` finds no GPU.
  of("linux-x64-cuda-ext", "linux-x64", { folder: "bins/linux-x64-cuda/fallback", core: false, gpu: cuda12 }),
  of("linux-x64-vulkan", "linux-x64", { gpu: vulkan }),
  of("linux-x64", "linux-x64"),
  of("linux-arm64", "linux-arm64"),
  of("linux-armv7l", "linux-arm"),
  of("mac-arm64-metal", "darwin-arm64", { gpu: { backend: "metal", api: metal } }),
  of("mac-x64", "darwin-x64"),
  of("win-x64-cuda", "win32-x64", { gpu: { backend: "cuda", api: onWindows.cuda13 } }),
  of("win-x64-cuda-ext", "win32-x64", {
    folder: "bins/win-x64-cuda/fallback",
    core: false,
    gpu: { backend: "cuda", api: onWindows.cuda12 },
  }),
  of("win-x64-vulkan", "win32-x64", { gpu: { backend: "vulkan", api: onWindows.vulkan } }),
  of("win-x64", "win32-x64"),
  of("win-arm64", "win32-arm64"),
];

/** The packages of one platform, in order. */
export function packagesFor(platform: string): readonly GgmlPackage[] {
  return packages.filter((row) => row.platform === platform);
}

/** The line that installs a package. */
export function installLine(name: string): string {
  return `npm install --save-exact @node-llama-cpp/${name}@${PACKAGE_VERSION}`;
}

function of(name: string, platform: string, rest: Partial<GgmlPackage> = {}): GgmlPackage {
  return { name, platform, folder: `bins/${name}`, core: true, ...rest };
}
