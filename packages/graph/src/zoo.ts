/** The network zoo: MONAI's and InnerEye's architectures by their names, under PyTorch's names of weights. */
export type { NetworkArguments } from './zoo/arguments.js';
export { initialState, type Random, seededRandom } from './zoo/initial-state.js';
export { type LoadedState, type LoadOptions, loadState, stateDictFor } from './zoo/load-state.js';
export {
  type BuildOptions,
  type BuiltNetwork,
  buildNetwork,
  type Forward,
  type Network,
  parameterCount,
  type State,
} from './zoo/network.js';
export { NetworkError, type NetworkErrorKind } from './zoo/network-error.js';
export { networkNames, networkOf } from './zoo/registry.js';
