/** Networks by MONAI's names (`_target_` of a bundle) and InnerEye's, with their constructor arguments. */
import type { NetworkArguments } from './arguments.js';
import { basicUnet } from './basic-unet.js';
import { type DenseNetName, denseNet } from './dense-net.js';
import { dynUnet } from './dyn-unet.js';
import { efficientNet } from './efficient-net.js';
import { flexibleUnet } from './flexible-unet.js';
import { generator } from './generator.js';
import { imageEncoder, imageEncoderWithMlp } from './image-encoder.js';
import { unet2d, unet3d } from './inner-eye-unet.js';
import { mlp } from './mlp.js';
import type { Network } from './network.js';
import { NetworkError } from './network-error.js';
import { RES_NETS, resNet } from './res-net.js';
import { seResNet } from './se-res-net.js';
import { segResNet } from './seg-res-net.js';
import { swinUnetr } from './swin-unetr.js';
import { unet } from './unet.js';
import { unetr } from './unetr.js';
import { vNet } from './v-net.js';

type Maker = (given: NetworkArguments) => Network;

const DENSE_NETS: readonly DenseNetName[] = ['DenseNet', 'DenseNet121', 'DenseNet169', 'DenseNet201', 'DenseNet264'];

const makers: Readonly<Record<string, Maker>> = {
  UNet: unet,
  BasicUNet: basicUnet,
  SegResNet: segResNet,
  DynUNet: dynUnet,
  VNet: vNet,
  EfficientNetBN: efficientNet,
  FlexibleUNet: flexibleUnet,
  Generator: generator,
  UNETR: unetr,
  SwinUNETR: swinUnetr,
  ...Object.fromEntries(DENSE_NETS.map((name): [string, Maker] => [name, (given) => denseNet(name, given)])),
  ...Object.fromEntries(
    ['ResNet', ...RES_NETS.filter((name) => name !== 'resnet200')].map((name): [string, Maker] => [
      name,
      (given) => resNet(name, given),
    ]),
  ),
  // Its siblings are built by the same file; each is listed when it has been held beside MONAI.
  SEResNet50: (given) => seResNet('SEResNet50', given),
  UNet3D: unet3d,
  UNet2D: unet2d,
  ImageEncoder: imageEncoder,
  ImageEncoderWithMlp: imageEncoderWithMlp,
  MLP: mlp,
};

/** MONAI's second names that differ by more than case. */
const SYNONYMS: Readonly<Record<string, string>> = { flexunet: 'FlexibleUNet' };

const byLowerCase = new Map(Object.keys(makers).map((name) => [name.toLowerCase(), name]));

/** All names that networkOf takes, in their usual spelling. */
export const networkNames: readonly string[] = Object.keys(makers);

/**
 * `name` with or without its path (`monai.networks.nets.UNet`), in MONAI's spellings (`Unet`, `Densenet121`); `given` by keyword as in
 * Python. Throws NetworkError `unknown-network`, `wrong-argument`, `unsupported-argument` (names the argument).
 */
export function networkOf(name: string, given: NetworkArguments): Network {
  const last = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  const known = SYNONYMS[last] ?? byLowerCase.get(last);
  if (known === undefined)
    throw new NetworkError('unknown-network', `There is no network ${name.slice(0, 100)}`, {
      where: name.slice(0, 100),
      next: `There are: ${networkNames.join(', ')}`,
    });
  return makers[known](given);
}
