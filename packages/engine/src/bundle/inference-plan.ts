/**
 * What a bundle wants done, read out of its configuration: which transforms, which network, which inferer, which
 * post-processing. What we have no code for is found here, all of it at once, before anything is loaded.
 */
import { infererTable } from '../inferers/make-inferer.js';
import { transformTable } from '../transforms/table.js';
import type { Bundle } from './bundle.js';
import { BundleError } from './bundle-error.js';
import { Config } from './config/config.js';
import { type ConfigValue, TargetObject } from './config/values.js';

export interface InferencePlan {
  readonly imageKey: string;
  readonly predictionKey: string;
  readonly preprocessing: readonly TargetObject[];
  readonly inferer: TargetObject;
  readonly postprocessing: readonly TargetObject[];
  /** Absolute path of an ONNX model. */
  readonly model: string;
  /** Arguments of `isocenter.OnnxNetwork`. */
  readonly channelsLast: boolean;
  readonly monaiBefore15: boolean;
}

/** Names under which bundles keep the same thing. */
const PREPROCESSING = ['preprocessing', 'pre_transforms', 'dataset::transform', 'validate::preprocessing'];
const POSTPROCESSING = ['postprocessing', 'post_transforms', 'evaluator::postprocessing', 'validate::postprocessing'];
const INFERER = ['inferer', 'evaluator::inferer', 'validate::inferer'];

/**
 * Throws BundleError `unsupported-target` with the list of everything that is missing, `unsupported-weights`,
 * `missing-file`, `invalid-configuration`; ConfigError and ExpressionError on what cannot be evaluated.
 */
export function planOf(bundle: Bundle): InferencePlan {
  const config = new Config(bundle.inference, bundle.folder);
  const where = `model ${bundle.name}:${bundle.version}`;
  const imports = config.refusedImports();
  if (imports.length > 0)
    throw new BundleError('unsupported-configuration', `The bundle runs code of its own: ${imports.join('; ')}`, {
      where,
      next: 'Code inside bundles is never run; use a bundle whose configuration needs none',
    });
  const first = (ids: readonly string[]) => ids.find((id) => config.has(id));
  const inferenceId = first(INFERER);
  const missing = new Set<string>();
  const network = targetOf(config, 'network_def');
  const isOnnx = network?.target === 'isocenter.OnnxNetwork';
  const preprocessing = transformsOf(config, first(PREPROCESSING), missing);
  const postprocessing = transformsOf(config, first(POSTPROCESSING), missing);
  const inferer = inferenceId === undefined ? new TargetObject('SimpleInferer', {}) : config.value(inferenceId);
  if (!(inferer instanceof TargetObject))
    throw new BundleError('invalid-configuration', 'The inferer is not an object', { where });
  if (!(inferer.shortName in infererTable)) missing.add(inferer.target);
  const weights = bundle.weights;
  if (weights === undefined && !network)
    throw new BundleError('missing-file', 'The bundle has neither weights nor a network', { where });
  if (missing.size > 0)
    throw new BundleError('unsupported-target', `This bundle needs ${[...missing].join(', ')}, which we do not have`, {
      where,
      next: 'docs/reference/bundle.md lists the transforms and inferers that are supported',
    });
  if (weights === undefined)
    throw new BundleError('missing-file', `The bundle has no weights under models/`, {
      where,
      next: 'Put models/model.onnx into the bundle',
    });
  if (!weights.endsWith('.onnx'))
    throw new BundleError(
      'unsupported-weights',
      `The weights are ${weights.slice(weights.lastIndexOf('.'))}; only ONNX weights can be run`,
      {
        where,
        next: 'The weights themselves can be read (isocenter weights FILE); building their network needs the network zoo, which is not there yet (issue D): export the network to models/model.onnx',
      },
    );
  return {
    imageKey: textOf(config, 'image_key') ?? textOf(config, 'image') ?? 'image',
    predictionKey: 'pred',
    preprocessing,
    inferer,
    postprocessing,
    model: weights,
    channelsLast: isOnnx && network?.named.channels_last === true,
    monaiBefore15: isBefore15(bundle.metadata.monai_version),
  };
}

function textOf(config: Config, id: string): string | undefined {
  const value = config.has(id) ? config.value(id) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The network's class matters only where we build it ourselves; an ONNX model brings its own. */
function targetOf(config: Config, id: string): TargetObject | undefined {
  if (!config.has(id)) return undefined;
  const value = config.value(id);
  return value instanceof TargetObject ? value : undefined;
}

function transformsOf(config: Config, id: string | undefined, missing: Set<string>): TargetObject[] {
  if (id === undefined) return [];
  const out: TargetObject[] = [];
  const visit = (value: ConfigValue | undefined): void => {
    if (value === undefined || value === null) return;
    if (Array.isArray(value)) for (const item of value) visit(item as ConfigValue);
    else if (value instanceof TargetObject && value.shortName === 'Compose')
      visit(value.named.transforms ?? value.positional[0]);
    else if (value instanceof TargetObject) {
      if (value.mode === 'callable' || !(value.shortName in transformTable)) missing.add(value.target);
      else out.push(value);
    } else throw new BundleError('invalid-configuration', 'This is not a transform', { where: id });
  };
  visit(config.value(id));
  return out;
}

function isBefore15(version: string | undefined): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  return major !== undefined && (Number(major) < 1 || (Number(major) === 1 && Number(minor) < 5));
}
