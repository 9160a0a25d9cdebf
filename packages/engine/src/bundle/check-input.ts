/** Is this input what the bundle asked for? Checked before anything is computed: names, modalities, units. */
import type { ModelInput } from '../model-input.js';
import type { Bundle } from './bundle.js';
import { BundleError } from './bundle-error.js';
import { sayableModality, sayableUnits } from './sayable.js';

/** Throws BundleError `wrong-input` that names the channel, what was expected and what came. */
export function checkInput(bundle: Bundle, input: ModelInput): void {
  const wanted = bundle.isocenter.channels;
  const names = wanted.map((channel) => channel.name).join(', ');
  const refusal = (message: string, next: string): BundleError =>
    new BundleError('wrong-input', message, { where: `model ${bundle.name}:${bundle.version}`, next });
  const seen = new Set<string>();
  for (const given of input.channels) {
    const channel = wanted.find((candidate) => candidate.name === given.name);
    if (!channel)
      throw refusal(
        `The model has no channel named "${given.name}"`,
        `Name the channels after those of the model: ${names}`,
      );
    if (seen.has(given.name)) throw refusal(`Channel "${given.name}" was given twice`, 'Give each channel once');
    seen.add(given.name);
    if (channel.modalities && given.modality !== undefined && !channel.modalities.includes(given.modality))
      throw refusal(
        `Channel "${given.name}" needs ${channel.modalities.join(' or ')}, but the images are ${sayableModality(given.modality)}`,
        `Choose a ${channel.modalities.join(' or ')} series, or a model that was made for ${sayableModality(given.modality)}`,
      );
    if (channel.units && given.units !== undefined && channel.units !== given.units)
      throw refusal(
        `Channel "${given.name}" needs values in ${channel.units}, but they are in ${sayableUnits(given.units)}`,
        `Give a series in ${channel.units}`,
      );
  }
  const missing = wanted
    .filter((channel) => !channel.optional && !seen.has(channel.name))
    .map((channel) => channel.name);
  if (missing.length > 0)
    throw refusal(`The model also needs: ${missing.join(', ')}`, `Give every channel of the model: ${names}`);
}
