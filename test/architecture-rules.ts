import { posix } from 'node:path';

/** What is wrong with one file, one line each; empty when nothing is. */
export type Rule = (path: string, source: string) => string[];

const BASE = [
  'errors',
  'logger',
  'config',
  'lifecycle',
  'cancellation',
  'fair-share',
  'inflight-budget',
  'shown-text',
  'passed-buffers',
  'redaction',
  'sha256',
  'turns',
];
const INTERFACES = [...BASE, 'entities', 'codecs', 'addresses'];
const WORKERS = ['files', 'limits', 'usage', 'providers', 'upstream', 'endpoints', 'dialects', 'protocols'];

/** The rooms of src/ and what each may import, its own files apart. An import points down this list, never up. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  server: [
    'app',
    'books',
    'routes',
    'gateway',
    'auth',
    'http',
    'metrics',
    'demo',
    'drivers',
    'documents',
    'offsite',
    'redis',
    ...WORKERS,
    ...INTERFACES,
  ],
  app: ['books', 'routes', 'gateway', 'auth', 'http', 'metrics', ...WORKERS, ...INTERFACES],
  routes: ['books', 'gateway', 'auth', 'http', 'metrics', 'documents', ...WORKERS, ...INTERFACES],
  books: ['gateway', 'limits', 'usage', ...INTERFACES],
  gateway: ['metrics', ...WORKERS, ...INTERFACES],
  auth: ['http', ...INTERFACES],
  demo: ['protocols', ...INTERFACES],
  limits: ['files', 'usage', ...INTERFACES],
  usage: ['files', 'protocols', ...INTERFACES],
  providers: ['endpoints', 'dialects', 'protocols', 'upstream', ...INTERFACES],
  upstream: [...BASE, 'codecs', 'addresses'],
  endpoints: ['dialects', 'protocols', ...INTERFACES],
  dialects: ['protocols', ...INTERFACES],
  drivers: ['files', 'documents', ...INTERFACES],
  offsite: ['files', 'drivers', 'documents', 'upstream', ...INTERFACES],
  redis: ['books', 'gateway', 'limits', 'usage', 'files', 'documents', ...INTERFACES],
  files: BASE,
  documents: INTERFACES,
  http: [...BASE, 'codecs', 'addresses'],
  metrics: [...BASE, 'entities'],
  protocols: INTERFACES,
  entities: BASE,
  codecs: ['errors', 'shown-text', 'turns'],
  addresses: ['errors', 'entities'],
  config: ['errors', 'logger', 'addresses'],
  lifecycle: [],
  cancellation: [],
  'fair-share': [],
  'inflight-budget': ['errors'],
  logger: ['shown-text', 'redaction'],
  errors: ['shown-text'],
  'shown-text': [],
  'passed-buffers': [],
  redaction: [],
  sha256: [],
  turns: [],
};

const FOLDERS = [
  'routes',
  'gateway',
  'auth',
  'demo',
  'limits',
  'usage',
  'providers',
  'dialects',
  'protocols',
  'metrics',
  'http',
  'offsite',
  'redis',
];
/** The entry and its parts, which put everything together. */
const ENTRY = /^src\/(server|shutdown|master-key|keep-alive-ping|open-store|demo\/start)\.ts$/;
/** The form in which a store's state is kept and passed on: values and bytes, no files. */
const DOCUMENT =
  /^src\/store\/(backup|restore|migrations|document|document-error|document-text|document-turns|records|record-rules|limit-rules|price-rules|stored-settings|stored-provider|secrets|new-config)\.ts$/;
/** Files on the disk, whatever is in them. */
const FILE = /^src\/store\/(atomic-file|checked-lines|crc32|file-ops)\.ts$/;
const CODEC =
  /^src\/(bounded-map|byte-gatherer|histogram|json\/[a-z-]+|http\/((sse|multipart)[a-z-]*|body-source|body-transform|content-type|headers))\.ts$/;

/** The room that a file of src/ belongs to, or null where the table knows none. */
function roomOf(path: string): string | null {
  if (ENTRY.test(path)) return 'server';
  if (CODEC.test(path)) return 'codecs';
  if (path === 'src/app.ts' || path === 'src/books.ts') return posix.basename(path, '.ts');
  if (path === 'src/gateway/endpoints.ts') return 'endpoints';
  if (/^src\/providers\/(upstream\/[a-z-]+|upstream-failures)\.ts$/.test(path)) return 'upstream';
  if (/^src\/(ip-address|providers\/base-url)\.ts$/.test(path)) return 'addresses';
  if (
    /^src\/(store\/(store|entities|changes|change-config|config-view|provider-keys|new-records|price-amounts)|usage\/(usage|call-entry|money)|offsite\/status)\.ts$/.test(
      path,
    )
  )
    return 'entities';
  if (DOCUMENT.test(path)) return 'documents';
  if (FILE.test(path)) return 'files';
  if (path.startsWith('src/store/')) return 'drivers';
  const top =
    /^src\/(config|lifecycle|cancellation|fair-share|inflight-budget|errors|logger|passed-buffers|shown-text|redaction|sha256|turns)\.ts$/.exec(
      path,
    )?.[1];
  const folder = FOLDERS.find((name) => path.startsWith(`src/${name}/`));
  return top ?? folder ?? null;
}

/** Relative imports of a file as paths from the root, in the order they stand there. */
export function importsOf(path: string, source: string): string[] {
  return specifiersOf(source)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => posix.join(posix.dirname(path), specifier));
}

/** The one file that imports a package: it is loaded with REDIS_URL only, and the package is optional. */
const PACKAGES: Readonly<Record<string, string>> = { 'src/redis/client.ts': 'redis' };

/** Imports point down, name their file with .ts, and reach nothing but src/ and Node's own modules. */
export const checkImports: Rule = (path, source) => {
  const room = roomOf(path);
  if (room === null) return [`${path}: is in no room of the table`];
  const problems: string[] = [];
  for (const specifier of specifiersOf(source)) {
    if (specifier.startsWith('node:') || specifier === PACKAGES[path]) continue;
    if (!specifier.startsWith('.')) problems.push(`${path}: imports the package ${specifier}`);
    else if (!specifier.endsWith('.ts')) problems.push(`${path}: import of ${specifier} must end in .ts`);
    else problems.push(...checkDirection(path, posix.join(posix.dirname(path), specifier)));
  }
  return problems;
};

const IO_IMPORT =
  /^import (?!type )[^;]*'node:(http|https|http2|net|tls|dgram|dns|fs|child_process)(\/\w+)?';/m;

/** What translates and decides takes values only: it opens no socket and no file. */
export const checkPurity: Rule = (path, source) => {
  const found = IO_IMPORT.exec(withoutComments(source))?.[1];
  return found !== undefined && isPure(roomOf(path) ?? '') ? [`${path}: must not use node:${found}`] : [];
};

function isPure(room: string): boolean {
  return ['gateway', 'dialects', 'protocols', 'codecs', 'entities', 'errors'].includes(room);
}

function checkDirection(path: string, imported: string): string[] {
  const from = roomOf(path) ?? '';
  const to = roomOf(imported);
  if (to === null) return [`${path}: imports ${imported}, which is in no room of the table`];
  if (from === to || ALLOWED[from]?.includes(to) === true) return [];
  return [`${path}: ${from} must not import ${imported} (${to})`];
}

const SERVER_ONLY = new Set(['createServer', 'ServerResponse', 'STATUS_CODES']);

/** Requests to others go through `providers/upstream/`: of node:http the server alone is used, and its types. */
export const checkClients: Rule = (path, source) => {
  const code = withoutComments(source);
  const values = [...code.matchAll(/^import (?!type )([^;]*?) from 'node:(https?|http2)';/gm)];
  const names = values.flatMap(([, list = '', module = '']) =>
    [...list.matchAll(/[{,]\s*(?!type\b)(\w+)|^(\w+|\* as \w+)$/g)].map(
      ([, inList, alone]) => [module, inList ?? alone ?? ''] as const,
    ),
  );
  const banned = names.filter(([module, name]) => module !== 'http' || !SERVER_ONLY.has(name));
  const found = banned.map(([module, name]) => `${path}: ${name} of node:${module}`);
  if (/\bfetch\(/.test(withoutStrings(code))) found.push(`${path}: fetch`);
  return found;
};

const BANS: readonly (readonly [string, RegExp])[] = [
  ['enum', /^[ \t]*(export )?(declare )?(const )?enum \w/m],
  ['namespace', /^[ \t]*(export )?(declare )?(namespace|module) [\w.]+ *\{/m],
  ['parameter property', /constructor\(([^)]*,)?\s*(private|public|protected|readonly) /],
  ['import = or export =', /^[ \t]*(import \w+ =|export =)/m],
  ['using', /^[ \t]*(await )?using \w+ *=/m],
  ['decorator', /^[ \t]*(export )?@\w/m],
  ['any', /(:|\bas|[<,|&]) *any\b(?! *:)/],
  ['default export', /^[ \t]*export (default\b|\{[^}]*\bas default\b)/m],
  ['barrel', /^[ \t]*export \* /m],
  ['unchecked TLS', /rejectUnauthorized: *false/],
  ['admission that nobody waits for', /^(?!.*\bawait ).*\bopen\.admit\(/m],
  ['URL of a request target', /new URL\(\s*[\w.]*\breq(uest)?\.url\b/],
];

/** Syntax that does not erase or that tsc lets pass, and habits that this code base does without. */
export const checkSyntax: Rule = (path, source) => {
  const code = withoutComments(source);
  const bare = withoutStrings(code);
  const found = BANS.filter(([, pattern]) => pattern.test(bare)).map(([name]) => `${path}: ${name}`);
  if (/@ts-(ignore|expect-error|nocheck)|biome-ignore/.test(source)) found.push(`${path}: silenced check`);
  return found;
};

const TABLES: readonly (readonly [string, RegExp, (path: string) => boolean])[] = [
  [
    'an endpoint outside its table',
    /['"`](chat\/completions|audio\/[a-z]+|images\/(generations|edits|variations))['"`?]/,
    (path) => path === 'src/gateway/endpoints.ts' || path.startsWith('src/demo/'),
  ],
  ['a comparison of endpoint paths', /\b(endpoint|call)\.(path|upstreamPath)\b *([!=]==|\.)/, () => false],
  [
    'a route outside its table',
    /\[\s*'(GET|POST|PUT|DELETE|HEAD)',\s*['"`]\//,
    (path) => path === 'src/app.ts' || path.startsWith('src/demo/'),
  ],
];

/** A route is one row of app.ts, an endpoint one row of its table; nothing elsewhere names them. */
export const checkTables: Rule = (path, source) => {
  const code = withoutComments(source);
  return TABLES.filter(([, pattern, isAllowed]) => !isAllowed(path) && pattern.test(code)).map(
    ([name]) => `${path}: ${name}`,
  );
};

/**
 * Compares CONTRIBUTING's map of `src/` with what is there.
 * @param map the lines of the table, whose first column names folders as `name/` and files as `name.ts`
 * @param entries what `src/` holds: folders with a slash at the end, and files
 */
export function checkMap(map: string, entries: readonly string[]): string[] {
  const rows = map.split('\n').filter((line) => line.startsWith('| `'));
  const named = (text: string): string[] =>
    [...text.matchAll(/`([a-z0-9/-]+(?:\/|\.ts))`/g)].map(([, name]) => name ?? '');
  const rooms = rows.flatMap((row) => named(row.split('|')[1] ?? ''));
  const anywhere = new Set(rows.flatMap(named));
  return [
    ...entries
      .filter((entry) => (entry.endsWith('/') ? !rooms.includes(entry) : !anywhere.has(entry)))
      .map((entry) => `${entry}: not in the map`),
    ...rooms
      .filter((room) => !entries.includes(room) && !/^[a-z]+\/[a-z0-9]+\/$/.test(room))
      .map((room) => `${room}: only in the map`),
  ];
}

const PAGE_BANS: readonly (readonly [string, RegExp])[] = [
  [
    'HTML from a string',
    /\.(innerHTML|outerHTML|srcdoc)\b|insertAdjacentHTML|document\.write|createContextualFragment/,
  ],
  ['code from a string', /\beval\(|new Function\(/],
  ['inline script', /<script(?![^>]*\bsrc=)[^>]*>/],
  ['inline style', /<style\b|<[^>]* style=/],
  ['inline handler', /<[^>]* on[a-z]+=/],
];

/** Pages hold no HTML made of strings and nothing inline, so that the strictest CSP fits them. */
export const checkPage: Rule = (path, source) => {
  const text = path.endsWith('.html') ? source : withoutStrings(withoutComments(source));
  return PAGE_BANS.filter(([, pattern]) => pattern.test(text)).map(([name]) => `${path}: ${name}`);
};

const EXPORTED = /^export (?:async )?(?:function\*?|const|let|class) (\w+)/gm;

/**
 * The exports that no other file names, in its types or its code.
 * @param modules each module with its source
 * @param readers other files that may use them, such as tests
 */
export function findUnusedExports(
  modules: readonly (readonly [path: string, source: string])[],
  readers: readonly (readonly [path: string, source: string])[],
): string[] {
  const words = [...modules, ...readers].map(
    ([path, source]) => [path, new Set(source.match(/\w+/g))] as const,
  );
  return modules.flatMap(([path, source]) =>
    [...source.matchAll(EXPORTED)]
      .map(([, name = '']) => name)
      .filter((name) => !words.some(([other, used]) => other !== path && used.has(name)))
      .map((name) => `${path}: ${name}`),
  );
}

const LINES_AT_MOST = 300;

/** Files stay short, in kebab-case, and no folder or file is a drawer for everything. */
export const checkShape: Rule = (path, source) => {
  const problems: string[] = [];
  const lines = source.split('\n').length - 1;
  if (lines > LINES_AT_MOST) problems.push(`${path}: ${lines} lines`);
  if (!/^[a-z0-9/-]+(\.[a-z]+)+$/.test(path)) problems.push(`${path}: not in kebab-case`);
  if (/(^|\/)(utils?|helpers?|common|misc|index)(\.ts|\/)/.test(path)) problems.push(`${path}: says nothing`);
  return problems;
};

/**
 * Circles of imports, each written as `a.ts -> b.ts -> a.ts`.
 * @param graph each file with the files that it imports.
 */
export function findCircles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) circles.push([...trail.slice(start), path].join(' -> '));
    if (start !== -1 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return circles;
}

function specifiersOf(source: string): string[] {
  const code = withoutComments(source);
  const pattern =
    /^[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|^[ \t]*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
  return [...code.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function withoutComments(source: string): string {
  return source.replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

function withoutStrings(code: string): string {
  return code.replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''");
}
