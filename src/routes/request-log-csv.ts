import { sendJson } from '../http/reply.ts';
import type { Context } from './context.ts';
import { type CsvCell, sendCsv, toCsvLine } from './csv.ts';
import { QueryParameters } from './query-parameters.ts';

/** The columns of everybody; the price is left out, and of the attempts only their number is told. */
const COLUMNS = [
  'id',
  'at',
  'endpoint',
  'keyId',
  'keyName',
  'userId',
  'userName',
  'model',
  'provider',
  'stream',
  'status',
  'outcome',
  'code',
  'ms',
  'ttftMs',
  'promptTokens',
  'cachedTokens',
  'cacheWriteTokens',
  'completionTokens',
  'reasoningTokens',
  'audioSeconds',
  'images',
  'estimated',
  'costUsd',
  'attempts',
  'clientAddress',
] as const;

type Value = CsvCell | boolean | readonly unknown[] | undefined;

/** A page of the request log as it is shown. */
export interface ShownPage {
  readonly data: readonly (Readonly<Record<(typeof COLUMNS)[number], Value>> & {
    /** Only for the admin. */
    readonly upstreamModel?: string | null;
  })[];
  readonly next: string | null;
}

/** Answers with a page as JSON, or with `format=csv` as a table. @throws HttpError `invalid_value` for other formats. */
export function sendLogPage(context: Context, page: ShownPage, role: 'admin' | 'user'): void {
  if (new QueryParameters(context.query).oneOf('format', ['json', 'csv']) !== 'csv') {
    sendJson(context, 200, page);
    return;
  }
  const columns = role === 'admin' ? ([...COLUMNS, 'upstreamModel'] as const) : COLUMNS;
  const lines = page.data.map((row) => toCsvLine(columns.map((name) => toCell(row[name]))));
  sendCsv(context, 'requests.csv', Buffer.from([toCsvLine(columns), ...lines].join('')));
}

function toCell(value: Value): CsvCell {
  if (typeof value === 'boolean') return String(value);
  if (value === undefined || value === null) return null;
  return typeof value === 'object' ? value.length : value;
}
