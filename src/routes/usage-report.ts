import { HttpError } from '../errors.ts';
import { sendBytes } from '../http/reply.ts';
import type { OwnerKind } from '../store/entities.ts';
import { Pace } from '../turns.ts';
import { presentName } from '../usage/entry-names.ts';
import {
  Aggregation,
  type Group,
  ROWS_LIMIT,
  TooManyRowsError,
  type UsageResult,
  type UsageRow,
} from '../usage/ledger/query.ts';
import { toFigures, type UsageFigures } from '../usage/ledger/usage-figures.ts';
import type { Context } from './context.ts';
import { type CsvCell, sendCsv, toCsvLine } from './csv.ts';
import type { Services } from './services.ts';
import { readUsageRequest, type UsageRequest } from './usage-query.ts';

/** How many rows are written between two turns of the event loop. */
const ROWS_PER_TURN = 500;

/** Whose usage is told: of one user, or, with null, of everybody. */
type Owner = string | null;

/**
 * Answers with what was used, as JSON or CSV.
 * @throws HttpError `invalid_value` for a wrong query, or one with too many rows.
 */
export async function sendUsage(context: Context, services: Services, owner: Owner): Promise<void> {
  const asked = readUsageRequest(context.query, services.now());
  const result = await findUsage(asked, services, owner);
  const report = new Report(asked, services);
  if (asked.format === 'csv') {
    const name = `usage-${isoTime(asked.fromMs).slice(0, 10)}.csv`;
    return sendCsv(context, name, await report.csv(result));
  }
  sendBytes(context, 200, await report.json(result), ['content-type', 'application/json']);
}

async function findUsage(asked: UsageRequest, { ledger }: Services, owner: Owner): Promise<UsageResult> {
  const { user } = asked.filters;
  if (owner !== null && user !== undefined && user !== owner) return new Aggregation(asked).result();
  const filters = owner === null ? asked.filters : { ...asked.filters, user: owner };
  try {
    return await ledger.query({ ...asked, filters });
  } catch (error) {
    if (!(error instanceof TooManyRowsError)) throw error;
    const message = `The answer would have more than ${ROWS_LIMIT.toLocaleString('en-US')} rows. Ask for a shorter time, a larger bucket, fewer groups or more filters.`;
    throw new HttpError('invalid_value', message, { param: asked.groupBy.length > 0 ? 'groupBy' : 'bucket' });
  }
}

/** Writes the rows of one answer. */
class Report {
  readonly #asked: UsageRequest;
  readonly #services: Services;
  readonly #pace = new Pace(ROWS_PER_TURN);

  constructor(asked: UsageRequest, services: Services) {
    this.#asked = asked;
    this.#services = services;
  }

  async json({ rows, totals }: UsageResult): Promise<Buffer> {
    const { fromMs, toMs, bucket } = this.#asked;
    const head = JSON.stringify({ from: isoTime(fromMs), to: isoTime(toMs), bucket });
    const texts = await this.#eachRow(rows, (row, index) => {
      const text = JSON.stringify({ ...this.#group(row), ...toFigures(row) });
      return index === 0 ? text : `,${text}`;
    });
    const start = `${head.slice(0, -1)},"data":[`;
    return Buffer.concat([
      Buffer.from(start),
      ...texts,
      Buffer.from(`],"totals":${JSON.stringify(toFigures(totals))}}`),
    ]);
  }

  async csv({ rows, totals }: UsageResult): Promise<Buffer> {
    const { bucket, groupBy } = this.#asked;
    const time = bucket === 'none' ? [] : ['time'];
    const groups = groupBy.flatMap((group) => (isNamed(group) ? [group, `${group}Name`] : [group]));
    const head = toCsvLine([...time, ...groups, ...Object.keys(flat(toFigures(totals)))]);
    const texts = await this.#eachRow(rows, (row) =>
      toCsvLine([...Object.values(this.#group(row)), ...Object.values(flat(toFigures(row)))]),
    );
    return Buffer.concat([Buffer.from(head), ...texts]);
  }

  async #eachRow(
    rows: readonly UsageRow[],
    write: (row: UsageRow, index: number) => string,
  ): Promise<Buffer[]> {
    const texts: Buffer[] = [];
    for (const [index, row] of rows.entries()) {
      texts.push(Buffer.from(write(row, index)));
      if (this.#pace.isDue(1)) await this.#pace.giveTurn();
    }
    return texts;
  }

  /** What a row is about. */
  #group({ timeMs, group }: UsageRow): Record<string, string | null> {
    const fields: Record<string, string | null> = timeMs === null ? {} : { time: isoTime(timeMs) };
    for (const [index, name] of this.#asked.groupBy.entries()) {
      const id = group[index] ?? null;
      fields[name] = id;
      if (isNamed(name)) fields[`${name}Name`] = id === null ? null : this.#nameOf(name, id);
    }
    return fields;
  }

  /** The present name, or the last one if it was deleted. */
  #nameOf(kind: OwnerKind, id: string): string | null {
    const { store, ledger } = this.#services;
    return presentName(store.config.view(), kind, id) ?? ledger.nameOf(kind, id);
  }
}

function isNamed(group: Group): group is OwnerKind {
  return group === 'key' || group === 'user';
}

/** The figures as cells of one line. */
function flat({ ttftMs, ms, ...sums }: UsageFigures): Record<string, CsvCell> {
  return { ...sums, ttftMsP50: ttftMs.p50, ttftMsP95: ttftMs.p95, msP50: ms.p50, msP95: ms.p95 };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
