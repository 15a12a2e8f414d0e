import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..');

/**
 * Makes a program of the tests ready to be started many times: the words to start it with. Where Node runs TypeScript
 * that is the file itself, elsewhere it is compiled once, which is cheaper than a loader in each process.
 */
export function prepareProgram(path: string): readonly string[] {
  if ('typescript' in process.features && process.features.typescript) return [process.execPath, path];
  const folder = mkdtempSync(join(tmpdir(), 'ipin-program-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const outDir = join(folder, 'out');
  const compilerOptions = { rootDir: ROOT, outDir, noEmit: false, noCheck: true };
  const project = { extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: [], files: [path] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const run = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`The program could not be compiled: ${run.stdout}${run.stderr}`);
  return [process.execPath, join(outDir, relative(ROOT, path).replace(/\.ts$/, '.js'))];
}
