import type { DialectName } from '../dialects/dialect.ts';
import { modelIsNamed } from '../protocols/upstream-errors.ts';
import type {
  AdapterCall,
  Asked,
  CompiledProvider,
  Quirk,
  Refusal,
  SpokenProtocols,
  SuspectedQuirk,
} from './adapter.ts';

/** How a provider serves a protocol. `untried`: natively at first, and translated once it has refused that. */
export type ProtocolWay = 'native' | 'translated' | 'untried';

const RESPONSES_HOSTS: readonly string[] = ['api.openai.com', 'openrouter.ai'];
/** Anthropic's own host takes its keys in a header of its own. */
export const ANTHROPIC_HOST = 'api.anthropic.com';

/** The protocols that a provider with this base URL speaks. */
export function spokenAt({ hostname, pathname }: URL): SpokenProtocols {
  const isAnthropic = hostname === ANTHROPIC_HOST || pathname.replace(/\/+$/, '').endsWith('/anthropic');
  return {
    messages: isAnthropic ? 'native' : 'translated',
    responses: RESPONSES_HOSTS.includes(hostname) ? 'native' : 'untried',
  };
}

/** How a provider serves a protocol: by its option, else by its base URL and by what it has refused. */
export function protocolWay(
  { record, spoken }: Pick<CompiledProvider, 'record' | 'spoken'>,
  name: DialectName,
  quirks: ReadonlySet<Quirk>,
): ProtocolWay {
  const mode = record.options[name] ?? 'auto';
  if (mode !== 'auto') return mode === 'native' ? 'native' : 'translated';
  const way = spoken[name];
  return way === 'untried' && quirks.has('no_responses') ? 'translated' : way;
}

/** A refusal that says that the provider does not have the endpoint, and says nothing of the model. */
export function suspectNoProtocol(
  { endpoint: { dialect }, modelId }: AdapterCall,
  { status, text }: Refusal,
  { provider, quirks, upstreamModel }: Asked,
): SuspectedQuirk | null {
  if (status !== 404 && status !== 405 && status !== 501) return null;
  if (dialect === null || protocolWay(provider, dialect.name, quirks) !== 'untried') return null;
  if (modelIsNamed(text, [modelId, upstreamModel])) return null;
  return { quirk: 'no_responses', isGuess: false, isRemembered: true };
}
