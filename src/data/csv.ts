import { complaint, FormatError } from '../core/errors';

/** One row of a CSV text. */
export interface CsvRow {
  /** Its cells, without quotes and without white space around them. */
  cells: string[];
  /** Line that it begins in, from 1. */
  line: number;
}

/** What may separate cells, where nobody said. */
const MARKS = [',', ';', '\t'];

/**
 * Rows of a CSV text; empty lines are none. A quoted cell may hold separators, line ends and doubled quotes.
 *
 * @param delimiter what separates cells. Default: the comma, semicolon or tab that the first line has most of
 * @throws FormatError for a quote that is never closed, or text after a closed one, with the line
 * @see Shafranovich, "Common Format and MIME Type for Comma-Separated Values (CSV) Files" (2005), RFC 4180
 */
export function readCsv(where: string, text: string, delimiter?: string): CsvRow[] {
  const plain = text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  const mark = delimiter ?? delimiterOf(plain);
  const rows: CsvRow[] = [];
  let line = 1;
  for (let at = 0; at < plain.length; line++) {
    const found = plain.indexOf('\n', at);
    const end = found < 0 ? plain.length : found;
    const content = plain.slice(at, end);
    const begins = line;
    at = end + 1;
    if (/^ *$/.test(content)) continue;
    if (!content.includes('"')) {
      rows.push({ cells: content.split(mark).map((cell) => cell.trim()), line: begins });
      continue;
    }
    const row = readQuoted(where, plain, end - content.length, mark, line);
    line += row.lines;
    at = row.end + 1;
    rows.push({ cells: row.cells, line: begins });
  }
  return rows;
}

/** The mark that stands most often in the first line with content, outside of quotes. */
function delimiterOf(text: string): string {
  const first = (/[^\n]*\S[^\n]*/.exec(text)?.[0] ?? '').replace(/"[^"]*"/g, '');
  const count = (mark: string) => first.split(mark).length;
  return MARKS.reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

/** A row with quotes from `start` on: its cells, where it ends, and how many line ends stand inside of it. */
function readQuoted(
  where: string,
  text: string,
  start: number,
  mark: string,
  line: number,
): { cells: string[]; end: number; lines: number } {
  const cells: string[] = [];
  let lines = 0;
  for (let at = start; ; at++) {
    while (text[at] === ' ' && text[at] !== mark) at++;
    const quoted = text[at] === '"';
    let closed = at;
    if (quoted) {
      closed = closingQuote(text, at);
      if (closed < 0) throw bad(where, 'a closing quote', line + lines, 'none up to the end');
      const cell = text.slice(at + 1, closed);
      cells.push(cell.replaceAll('""', '"'));
      lines += cell.split('\n').length - 1;
    }
    const end = endOfCell(text, quoted ? closed + 1 : at, mark);
    const rest = text.slice(quoted ? closed + 1 : at, end).trim();
    if (!quoted) cells.push(rest);
    else if (rest !== '') throw bad(where, `'${mark}' after a closing quote`, line + lines, `'${rest}'`);
    if (end === text.length || text[end] === '\n') return { cells, end, lines };
    at = end + mark.length - 1;
  }
}

/** Where the quoted cell that opens at `open` closes; a doubled quote closes nothing. */
function closingQuote(text: string, open: number): number {
  let at = text.indexOf('"', open + 1);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

function endOfCell(text: string, start: number, mark: string): number {
  const found = text.indexOf('\n', start);
  const line = text.slice(start, found < 0 ? text.length : found);
  const inside = line.indexOf(mark);
  return start + (inside < 0 ? line.length : inside);
}

function bad(where: string, expected: string, line: number, received: string): FormatError {
  return new FormatError(complaint(where, `${expected} in line ${line}`, received));
}
