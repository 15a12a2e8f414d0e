import type { Model } from '../store/entities.ts';
import { isVisionModelName } from './images.ts';

/** Whether a model takes images: as its flag says, else guessed from its names. */
export function isVisionModel(model: Pick<Model, 'id' | 'upstreamModel' | 'vision'>): boolean {
  return model.vision ?? (isVisionModelName(model.id) || isVisionModelName(model.upstreamModel ?? ''));
}
