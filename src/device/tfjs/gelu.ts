import * as tf from "@tensorflow/tfjs-core";
import { tanhForm, type GeluForm } from "../gelu.ts";

type Forms = Readonly<Record<GeluForm, (x: tf.Tensor) => tf.Tensor>>;
const { slope, cube } = tanhForm;

/** What gelu multiplies x by. */
export const geluShare: Forms = {
  erf: (x) => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5),
  tanh: (x) => tf.sigmoid(tf.mul(x, tf.add(tf.mul(tf.square(x), cube), slope))),
};

export const geluSlope: Forms = {
  /** Phi(x) + x phi(x) */
  erf: (x) => {
    const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), (2 * Math.PI) ** -0.5);
    return tf.add(geluShare.erf(x), tf.mul(x, density));
  },
  /** s (1 + x (1 - s) (slope + 3 cube x^2)), s the share */
  tanh: (x) => {
    const share = geluShare.tanh(x);
    const inner = tf.add(tf.mul(tf.square(x), 3 * cube), slope);
    return tf.mul(share, tf.add(tf.mul(tf.mul(x, tf.sub(1, share)), inner), 1));
  },
};
