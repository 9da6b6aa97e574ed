/**
 * An engine that leaves half of the free memory to other programs: the one that is built in and works best here, which says of itself
 * that it has less. How many parents stay on the device, and how much is kept for derivatives, follows from that. `engine: capped/half`.
 *
 * @import { Device, EnginePlugin, Plugin } from "evomerge"
 */

/**
 * @param {Device} device
 * @returns {Device}
 */
function capped(device) {
  const { name, kind, fastestProducts, concurrency } = device;
  return {
    name: `${name}, half of its memory`,
    kind,
    fastestProducts,
    concurrency,
    get memory() {
      const { capacityBytes, ...memory } = device.memory;
      return { ...memory, capacityBytes: capacityBytes === undefined ? undefined : Math.floor(capacityBytes / 2) };
    },
    bytesOf: (tensor) => device.bytesOf(tensor),
    upload: (bytes, dtype, shape) => device.upload(bytes, dtype, shape),
    // Only where the device's memory is the host's.
    ...(device.receive && { receive: device.receive.bind(device) }),
    run: (outputs, options) => device.run(outputs, options),
    read: (tensor) => device.read(tensor),
    free: (...tensors) => device.free(...tensors),
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose](),
  };
}

/** @type {EnginePlugin} */
const half = {
  open: async ({ openBuiltIn }) => capped(await openBuiltIn("auto")),
};

/** @type {Plugin} */
export default { name: "capped", version: "1.0.0", engines: { half } };
