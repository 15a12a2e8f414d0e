import type { EndpointPath } from '../providers/adapter.ts';

/** What is particular about an endpoint; everything else is the same for all. */
export interface Endpoint {
  readonly path: EndpointPath;
  readonly body: 'json' | 'form';
  /** What a successful answer is when no stream was asked for. */
  readonly answer: 'json' | 'binary';
  /** The answer names the model, so the asked-for id is put back into it. */
  readonly namesModel: boolean;
  /** How a whole event stream ends, so that a broken one is noticed; null where vendors differ. */
  readonly streamEnd: 'chat' | 'responses' | null;
}
