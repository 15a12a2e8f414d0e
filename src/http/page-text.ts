import { posix } from 'node:path';

/** What a page needs to know of the files beside it. */
export interface PageFiles {
  /** The folder under which all files of this version are served, relative to the page: `static/VERSION`. */
  readonly folder: string;
  /** The text of a file by its path from the page, such as `js/lib/h.js`; null: there is none. */
  readonly textOf: (path: string) => string | null;
}

const NAME = /\b(src|href)="([\w./-]+\.(?!html")\w+)"/g;
const ENTRY = /<script type="module" src="([\w./-]+)"/g;
/** A static import in our own code, comments removed; `import()` has a bracket before its name. */
const IMPORT = /^(?:import|export)\b[^'"`;()]*?\bfrom\s*'(\.[^']+)'|^import\s+'(\.[^']+)'/gm;

/**
 * A page whose files are named under their version, so that a browser may keep them for ever, and which names all modules that its
 * scripts import, so that a browser asks for all at once and not one import after the other (WHATWG HTML, `modulepreload`).
 */
export function withFiles(html: string, files: PageFiles): string {
  const named = html.replace(NAME, (whole, attribute: string, path: string) =>
    files.textOf(path) === null ? whole : `${attribute}="${files.folder}/${path}"`,
  );
  const modules = new Set<string>();
  for (const [, entry = ''] of html.matchAll(ENTRY)) addImports(entry, files, modules);
  const links = [...modules].map((path) => `<link rel="modulepreload" href="${files.folder}/${path}">`);
  return named.replace('</head>', () => `${links.join('')}</head>`);
}

/** Adds all modules that one module imports, and those that they import. */
function addImports(path: string, files: PageFiles, modules: Set<string>): void {
  for (const [, from, only] of (files.textOf(path) ?? '').matchAll(IMPORT)) {
    const imported = posix.join(posix.dirname(path), from ?? only ?? '');
    if (modules.has(imported)) continue;
    modules.add(imported);
    addImports(imported, files, modules);
  }
}
