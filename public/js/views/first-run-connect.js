import { api } from '../lib/api.js';
import { memberPath } from '../lib/resource.js';
import { isWorking } from './first-run-facts.js';

/**
 * @import { FirstRun } from './first-run.js'
 * @import { Provider, ProviderTest } from '../lib/types.js'
 * @typedef {{ id?: string, name: string, baseUrl: string, type?: string }} Wanted
 */

const PATH = '/api/admin/providers';

/** A provider that did not pass its test. `keep` saves it all the same. */
export class TestFailure extends Error {
  /**
   * @param {string} message in the provider's words
   * @param {{ name: string, isLocal: boolean, keep: () => Promise<unknown> }} detail
   */
  constructor(message, { name, isLocal, keep }) {
    super(message);
    this.provider = name;
    this.isLocal = isLocal;
    this.keep = keep;
  }
}

/**
 * Saves a provider, tests it and fetches its models. One that fails is not kept.
 * @param {FirstRun} run
 * @param {Wanted} wanted
 * @param {string} key empty: none
 * @throws {TestFailure}
 */
export async function connect(run, wanted, key) {
  const secret = key === '' ? {} : { apiKey: key };
  const known = run.records().providers.find((one) => one.baseUrl === wanted.baseUrl && !isWorking(one));
  const isTaken = run.records().providers.some(({ id }) => id === wanted.id);
  const { name, baseUrl, type = 'openai' } = wanted;
  const save = () =>
    known
      ? api.put(memberPath(PATH, known.id), { ...secret, enabled: true })
      : api.post(PATH, {
          ...(!isTaken && wanted.id !== undefined && { id: wanted.id }),
          ...secret,
          name,
          baseUrl,
          type,
          enabled: true,
        });
  /** @type {Provider} */
  const provider = await save();
  const path = memberPath(PATH, provider.id);
  /** @type {ProviderTest} */
  const test = await api.post(`${path}/test`);
  const failed = test.steps.find((step) => !step.ok);
  if (failed !== undefined) {
    await (known ? api.put(path, { enabled: known.enabled }) : api.del(path));
    const isLocal = new URL(baseUrl).hostname === 'localhost';
    throw new TestFailure(failed.message, { name, isLocal, keep: save });
  }
  const { data } = await api.get(`${path}/upstream-models`);
  const ms = test.steps.find((step) => step.name === 'connect')?.ms ?? null;
  run.memory.offered = { providerId: provider.id, ms, models: data };
}
