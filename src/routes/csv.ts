import { sendBytes } from '../http/reply.ts';
import type { Context } from './context.ts';

/** A cell of a table: null is left empty. */
export type CsvCell = string | number | null;

/** A spreadsheet takes a cell that begins like this for a formula. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^-?\d+(\.\d+)?$/;

/**
 * One line of CSV (RFC 4180), with its line end. Text that a spreadsheet would take for a formula gets a leading `'`.
 * @example toCsvLine(['a,b', 1, null, '=1+1']) // '"a,b",1,,\'=1+1\r\n'
 */
export function toCsvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(toCsvCell).join(',')}\r\n`;
}

function toCsvCell(cell: CsvCell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Answers with a table as a file to be saved. */
export function sendCsv(context: Context, fileName: string, table: Buffer): void {
  const disposition = `attachment; filename="${fileName}"`;
  const headers = ['content-type', 'text/csv; charset=utf-8', 'content-disposition', disposition];
  sendBytes(context, 200, table, headers);
}
