/** x Phi(x) by the error function, which is exact, or by its approximation with a tanh (arXiv:1606.08415, section 2). */
export type GeluForm = "erf" | "tanh";

/** The tanh form is x sigmoid(x (slope + cube x^2)), since (1 + tanh(z)) / 2 is sigmoid(2 z). */
const slope = 2 * Math.sqrt(2 / Math.PI);
export const tanhForm: Readonly<Record<"slope" | "cube", number>> = { slope, cube: 0.044715 * slope };
