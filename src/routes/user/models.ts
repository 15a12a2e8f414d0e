import { priceToExpect } from '../../gateway/target-prices.ts';
import { sendJson } from '../../http/reply.ts';
import { isVisionModel } from '../../protocols/vision.ts';
import type { Handler } from '../context.ts';
import type { Services } from '../services.ts';
import { offeredModels } from '../v1/models.ts';
import { signedInUser } from './me.ts';

/** The models that the signed-in user may use, with what they cost at the provider that is asked first. */
export function listOwnModels({ store }: Services): Handler {
  return (context) => {
    const view = store.config.view();
    const data = offeredModels(view, signedInUser(context.principal)).map((model) => ({
      id: model.id,
      name: model.name,
      vision: isVisionModel(model),
      price: priceToExpect({ found: { model, wildcard: null }, modelId: model.id, view }),
    }));
    sendJson(context, 200, { data });
  };
}
