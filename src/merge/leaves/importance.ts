/** Which elements of an expert matter, as arcee_fusion tells. */
import type { Leaf } from "../facts.ts";

/** How far above the median importance begins, in interquartile ranges. */
const IMPORTANT_RANGES = 1.5;

/** 1 where an element is kept, else 0. */
export const important: Leaf = {
  name: "important",
  async make({ base, experts, expert, shape }) {
    const own = experts[expert];
    if (!own) throw new Error(`merge: no expert ${expert} that matters`);
    const { importantElements } = await import("../../tensor/importance.ts");
    return importantElements(base, own.stored, { width: shape.at(-1) ?? 1, ranges: IMPORTANT_RANGES });
  },
  python: `
def important(name, expert, tensor, base):
    """1 where |tensor - base| matters, by the divergence of its row, more than that of most elements, else 0."""
    rows = [x.reshape(-1, x.shape[-1]).split(1024) for x in (tensor, base)]
    divergence = torch.cat([divergences(x.double(), y.double()) for x, y in zip(*rows)])
    divergence = divergence.reshape(*tensor.shape[:-1], 1)
    most = divergence.max()
    parts = (divergence / most if most > 0 else torch.zeros_like(divergence)).float()
    values = (tensor - base).abs() * parts
    ordered = values.flatten().sort().values.double()
    low, middle, high = (ordered[int(part * (len(ordered) - 1))] for part in (0.25, 0.5, 0.75))
    return (values.double() >= middle + ${IMPORTANT_RANGES} * (high - low)).float()


def divergences(x, base):
    """KL(softmax(x) || softmax(base)) of each row, summed and with logarithms in the order of evomerge."""
    (p, log_p), (q, log_q) = softmax(x), softmax(base)
    w = base - x + (log_p - log_q)
    near = torch.zeros_like(w)
    for k in (40320, 5040, 720, 120, 24, 6):
        near = w * (1 / k + near)
    near = w * w * (1 / 2 + near)
    return halved(torch.where(w.abs() <= 1 / 32, p * near, q - p - p * w))


def softmax(x):
    """Of each row, and the logarithm of the sum of its exponentials."""
    most = x.amax(-1, keepdim=True)
    x = x - most
    steps = torch.floor(0.5 - x * PER_STEP)
    r = x + steps * STEP
    series = torch.zeros_like(r)
    for k in (720, 120, 24, 6, 2, 1):
        series = r * (1 / k + series)
    parts = torch.where(steps < len(POWERS), POWERS[steps.clamp(max=len(POWERS) - 1).long()] * (1 + series), 0.0)
    total = halved(parts)
    return parts / total, most + log(total)


def halved(x):
    """Sums of rows: halves are added to each other until one number is left."""
    width = 1
    while width < x.shape[-1]:
        width *= 2
    x = torch.nn.functional.pad(x, (0, width - x.shape[-1]))
    while width > 1:
        width //= 2
        x = x[..., :width] + x[..., width:]
    return x


def log(x):
    mantissa, exponent = torch.frexp(x)
    low = mantissa < ${Math.SQRT1_2}
    mantissa, exponent = torch.where(low, 2 * mantissa, mantissa), exponent - low.int()
    s = (mantissa - 1) / (mantissa + 1)
    square, series = s * s, torch.zeros_like(s)
    for k in range(23, 1, -2):
        series = (series + 1 / k) * square
    return exponent.double() * ${Math.LN2} + 2 * s + 2 * s * series


def power(i):
    """exp(-i STEP)"""
    x, series = -(i % 32) * STEP, 1.0
    for k in range(18, 0, -1):
        series = 1 + (series * x) / k
    return series * 2.0 ** -(i // 32)


STEP, PER_STEP = ${Math.LN2} / 32, 32 / ${Math.LN2}
POWERS = torch.tensor([power(i) for i in range(2048)], dtype=torch.float64)
`,
};
