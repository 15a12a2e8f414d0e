import { api } from '../lib/api.js';
import { checkField, selectField, textField } from '../lib/form.js';
import { formDialog } from '../lib/form-dialog.js';
import { h } from '../lib/h.js';
import { memberPath } from '../lib/resource.js';
import { createSegmented } from '../lib/segmented.js';
import { fallbackFields } from './model-fallbacks.js';
import { modelOptionFields } from './model-options.js';
import { priceFields } from './price-fields.js';

const PATH = '/api/admin/models';
const VISION = [
  { value: 'auto', label: 'Guess from the name' },
  { value: 'yes', label: 'Yes' },
  { value: 'no', label: 'No' },
];
/** @type {Record<string, boolean | null>} */
const VISION_VALUES = { auto: null, yes: true, no: false };

/**
 * Asks for the properties of a model and saves them.
 * @param {import('../lib/types.js').Model | null} model null: add a model
 * @param {readonly import('../lib/types.js').Provider[]} providers
 * @returns {Promise<import('../lib/types.js').Model | null>} the saved model; null after Cancel
 */
export function editModel(model, providers) {
  const isNew = model === null;
  const name = textField({
    label: 'Display Name',
    param: 'name',
    input: { value: model?.name, required: true, maxlength: 200, placeholder: 'GPT-4 Turbo' },
  });
  const id = textField({
    label: 'Model ID',
    param: 'id',
    hint: isNew
      ? 'The name that clients send as “model”. You cannot change it later. One * stands for any text: gpt-* serves every such name that no other model has.'
      : null,
    input: {
      value: model?.id,
      required: true,
      readonly: !isNew,
      spellcheck: 'false',
      autocapitalize: 'none',
      placeholder: isNew ? 'gpt-4-turbo' : null,
    },
  });
  const provider = selectField({
    label: 'Provider',
    param: 'providerId',
    choices: providerChoices(providers, model?.providerId),
    value: model?.providerId ?? (providers.length === 1 ? providers[0].id : ''),
    input: { required: true },
  });
  const upstream = textField({
    label: 'Upstream Name',
    optional: true,
    param: 'upstreamModel',
    hint: 'The provider’s name for the model, if it differs from the ID. A * in it stands for the same text as the * in the ID.',
    input: { value: model?.upstreamModel ?? '', spellcheck: 'false', autocapitalize: 'none' },
  });
  const vision = createSegmented({
    hasLegend: true,
    label: 'Takes images',
    choices: VISION,
    value: model === null || model.vision === null ? 'auto' : model.vision ? 'yes' : 'no',
  });
  const enabled = checkField({ label: 'Enabled', input: { checked: model?.enabled ?? true } });
  const options = modelOptionFields(model?.options ?? {});
  /** @type {import('../lib/form.js').Field[]} */
  const fields = [name, id, provider, upstream, ...options.fields];
  const price = priceFields({
    price: model?.price,
    effective: model?.effectivePrice,
    param: 'price',
    heading: 'h3',
  });
  fields.push(...price.fields);
  const fallbacks = fallbackFields({
    fallbacks: model?.fallbacks ?? [],
    weight: model?.weight ?? null,
    fields,
    choicesFor: (fallback) => providerChoices(providers, fallback.providerId),
  });
  return formDialog({
    title: isNew ? 'Add Model' : `Edit ${model.name}`,
    size: 'wide',
    fields,
    content: [
      h('div', { class: 'columns' }, name.element, id.element),
      h('div', { class: 'target-fields' }, provider.element, upstream.element, fallbacks.ownWeight),
      price.element,
      fallbacks.element,
      vision.element,
      enabled.element,
      options.element,
    ],
    save: () => {
      const body = {
        name: name.control.value.trim(),
        providerId: provider.control.value,
        upstreamModel: upstream.control.value.trim() || null,
        vision: VISION_VALUES[vision.value()],
        enabled: enabled.control.checked,
        ...fallbacks.value(),
        price: price.value(),
        options: options.value(),
      };
      return isNew
        ? api.post(PATH, { ...body, id: id.control.value.trim() })
        : api.put(memberPath(PATH, model.id), body);
    },
  });
}

/**
 * @param {readonly import('../lib/types.js').Provider[]} providers
 * @param {string} [chosenId]
 */
function providerChoices(providers, chosenId = '') {
  const choices = providers.map((one) => ({
    value: one.id,
    label: one.name === one.id ? one.id : `${one.name} (${one.id})`,
  }));
  const isMissing = chosenId !== '' && !providers.some((one) => one.id === chosenId);
  return [
    { value: '', label: providers.length === 0 ? 'Add a provider first' : 'Choose …' },
    ...(isMissing ? [{ value: chosenId, label: `${chosenId} (missing)` }] : []),
    ...choices,
  ];
}
