/** A step towards an expert that is the same for all elements, and ends where the expert does. */
import {
  firstExpert,
  isPositive,
  magnitude,
  minus,
  withName,
  number,
  plus,
  product,
  theBase,
  times,
} from "../formula.ts";
import { computing, type MethodDeclaration } from "../method.ts";

const difference = withName("difference", minus(firstExpert, theBase));
const isFar = isPositive(minus(magnitude(difference), number("t")));
const sign = minus(isPositive(difference), isPositive(product(difference, number(-1))));

export const nearswap: Readonly<Record<"nearswap", MethodDeclaration>> = {
  nearswap: {
    name: "nearswap",
    source: "alchemonaut 2024, huggingface.co/alchemonaut/QuartetAnemoi-70B-t0.0001",
    ...computing(plus(plus(theBase, minus(difference, product(difference, isFar))), times(product(isFar, sign), "t"))),
    summary: "from the base towards the expert, each element by t at most",
    parameters: [
      {
        name: "t",
        per: "model",
        range: [0, 0.01],
        start: 0.001,
        limits: [0, 1000],
        isWhole: true,
        summary:
          "how far an element moves at most, in units of the weights; those that are nearer to the expert's become these",
      },
    ],
    experts: { least: 1, most: 1 },
    mergekit: { parameters: {} },
  },
};
