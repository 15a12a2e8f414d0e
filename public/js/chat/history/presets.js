/** The presets of an account: a name for a system prompt, a model and a temperature. */
import { createId, tidyTitle } from './records.js';

/** @typedef {import('./types.js').Preset} Preset */

/**
 * @param {{ driver: import('./types.js').Driver, notify: (change: import('./types.js').Change) => void }} options
 */
export function createPresets({ driver, notify }) {
  return {
    /** @returns {Promise<Preset[]>} by name */
    async listPresets() {
      const presets = await driver.run('readonly', ['presets'], (transaction) => transaction.all('presets'));
      return presets.sort((a, b) => a.name.localeCompare(b.name));
    },

    /**
     * Adds a preset, or replaces the one with its id.
     * @param {Omit<Preset, 'id'> & { id?: string }} preset
     * @returns {Promise<Preset>}
     */
    async savePreset({ id = createId(), name, system, modelId, temperature }) {
      const preset = { id, name: tidyTitle(name), system, modelId, temperature };
      await driver.run('readwrite', ['presets'], (transaction) => transaction.put('presets', preset));
      notify({ type: 'presets' });
      return preset;
    },

    /** @param {string} id */
    async removePreset(id) {
      await driver.run('readwrite', ['presets'], (transaction) => transaction.remove('presets', id));
      notify({ type: 'presets' });
    },
  };
}
