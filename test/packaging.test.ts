import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { ENV_NAMES, loadConfig, mergeEnvironment } from '../src/config.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const linesOf = (name: string): string[] => read(name).split('\n');

interface PackageJson {
  readonly dependencies?: Record<string, string>;
  readonly scripts: Record<string, string>;
  readonly engines: { readonly node: string };
}

interface LockFile {
  readonly packages: Record<string, { readonly dev?: boolean; readonly optional?: boolean }>;
}

describe('package.json', () => {
  const manifest: PackageJson = JSON.parse(read('package.json'));

  test('has no runtime dependency, not even an indirect one', () => {
    assert.deepEqual(manifest.dependencies ?? {}, {});
    const { packages }: LockFile = JSON.parse(read('package-lock.json'));
    const shipped = Object.entries(packages).filter(([name, entry]) => name !== '' && entry.dev !== true);
    assert.deepEqual(
      shipped.map(([name]) => name),
      [],
    );
  });

  test('runs nothing at installation', () => {
    const hooks = Object.keys(manifest.scripts).filter((name) =>
      /^(pre|post)?(install|prepare|publish|pack)$|^prepublishOnly$|^dependencies$/.test(name),
    );
    assert.deepEqual(hooks, []);
  });

  test('has the documented scripts', () => {
    for (const name of ['start', 'demo', 'dev', 'build', 'check', 'test', 'test:long', 'bench', 'soak']) {
      assert.equal(typeof manifest.scripts[name], 'string', name);
    }
    assert.equal(manifest.engines.node, '>=20.12');
  });
});

describe('.env.example', () => {
  const entries = linesOf('.env.example').flatMap((line, index, lines) => {
    const [, off, name = '', value = ''] = /^(#?)([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
    return name === '' ? [] : [{ name, value, isOff: off === '#', above: lines[index - 1] ?? '' }];
  });

  test('lists exactly the variables that are read', () => {
    assert.deepEqual(entries.map(({ name }) => name).sort(), [...ENV_NAMES].sort());
  });

  test('explains each in the line above', () => {
    for (const { name, above } of entries) assert.match(above, /^# \S/, name);
  });

  test('holds no secret', () => {
    for (const { name, value } of entries) {
      if (/KEY|PASSWORD|TOKEN/.test(name)) assert.equal(value, '', name);
    }
  });

  test('copied as it is, means the defaults', () => {
    const file = Object.fromEntries(
      entries.filter(({ isOff }) => !isOff).map(({ name, value }) => [name, value]),
    );
    assert.deepEqual(loadConfig(mergeEnvironment({}, file)), loadConfig({}));
    const onRender = { RENDER_EXTERNAL_URL: 'https://proxy.example' };
    assert.equal(loadConfig(mergeEnvironment(onRender, file)).keepAliveUrl, 'https://proxy.example');
  });
});

describe('Dockerfile', () => {
  const instructions = read('Dockerfile')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean);
  const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM')));
  const argumentOf = (name: string): string =>
    last.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? '';

  test('its last stage copies dist/, public/ and package.json alone, and fetches nothing', () => {
    const copied = last.filter((line) => /^(COPY|ADD)/.test(line));
    assert.deepEqual(copied, [
      'COPY package.json /opt/ipin-proxy/',
      'COPY public /opt/ipin-proxy/public',
      'COPY --from=build /build/dist /opt/ipin-proxy/dist',
    ]);
    assert.doesNotMatch(last.join('\n'), /npm (ci|install)|apk add|apt-get|curl|wget|VOLUME/);
  });

  test('runs the compiled server as user 1000, who owns /app and /data', () => {
    assert.equal(argumentOf('USER'), '1000:1000');
    assert.match(argumentOf('RUN'), /chown 1000:1000 \/app \/data$/);
    assert.equal(argumentOf('WORKDIR'), '/app');
    assert.match(argumentOf('ENV'), /DB_PATH=\/data\/ipin-proxy\.db/);
    assert.equal(argumentOf('CMD'), '["node", "/opt/ipin-proxy/dist/server.js"]');
  });

  const isRoot = process.getuid?.() === 0;
  const skip = isRoot ? false : 'only root can give files to other users';
  test('B10: its program is of root and can neither be changed nor replaced by the user of the server', {
    skip,
  }, (t) => {
    const root = mkdtempSync(join(tmpdir(), 'ipin-proxy-image-'));
    t.after(() => rmSync(root, { recursive: true }));
    chmodSync(root, 0o755);
    const workFolder = argumentOf('WORKDIR');
    const inImage = (path: string): string => join(root, resolve(workFolder, path));
    mkdirSync(inImage('.'), { recursive: true });
    const run = (script: string, uid = 0): number | null =>
      spawnSync('sh', ['-c', script], { cwd: inImage('.'), uid }).status;
    for (const line of last) {
      const [, source = '', target = ''] = /^COPY (?:--from=build \/build\/)?(\S+) (\S+)$/.exec(line) ?? [];
      if (source !== '') lay(source, inImage(target), target.endsWith('/'));
      for (const command of line.startsWith('RUN ') ? line.slice(4).split('&&') : []) {
        if (!/^ ?(mkdir|chown|chmod) /.test(command)) continue;
        assert.equal(run(command.replaceAll(/ (\/\S+)/g, ` ${root}$1`)), 0, command);
      }
    }
    const [, program = '']: string[] = JSON.parse(argumentOf('CMD'));
    const home = inImage(join(program, '..', '..'));
    const user = Number(argumentOf('USER').split(':')[0]);
    for (const name of ['package.json', 'public/index.html', 'dist/server.js']) {
      const file = join(home, name);
      assert.equal(statSync(file).uid, 0, name);
      assert.equal(run(`test -r '${file}'`, user), 0, `${name} can be read`);
      assert.notEqual(run(`echo x >> '${file}'`, user), 0, `${name} is not changed`);
      assert.notEqual(run(`mv '${file}' '${file}.old'`, user), 0, `${name} is not moved`);
    }
    assert.notEqual(run(`mv '${home}/dist' '${inImage('old')}'`, user), 0, 'dist/ is not replaced');
    assert.notEqual(run(`touch '${home}/dist/new.js'`, user), 0, 'dist/ takes no files');
    assert.equal(run(`touch ipin-proxy.db '${root}/data/ipin-proxy.db'`, user), 0, 'a database can be made');
  });

  test('sends only what it copies to the builder', () => {
    const kept = linesOf('.dockerignore')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    assert.equal(
      linesOf('.dockerignore').find((line) => !line.startsWith('#')),
      '*',
    );
    assert.deepEqual(kept.sort(), ['bundle.js', 'package-lock.json', 'package.json', 'public', 'src']);
  });

  test('its health check follows PORT and HOST', async (t) => {
    const text = argumentOf('HEALTHCHECK');
    assert.match(text, /^--interval=30s --timeout=3s --start-period=5s --retries=3 CMD \[/);
    const [command = '', ...rest]: string[] = JSON.parse(text.slice(text.indexOf('[')));
    let status = 200;
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/health' ? status : 404).end();
    });
    t.after(() => server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    assert.equal(command, 'node');
    const check = (host: string): Promise<number> =>
      exitCodeOf(rest, { env: { PATH: process.env['PATH'], PORT: String(address.port), HOST: host } });
    assert.equal(await check('0.0.0.0'), 0);
    assert.equal(await check('127.0.0.1'), 0);
    assert.equal(await check('127.0.0.2'), 1, 'an address where nobody listens');
    status = 503;
    assert.equal(await check(''), 1);
  });
});

/** What a careless checkout gives the builder: everybody may write to it. A folder holds one file. */
function lay(source: string, target: string, isInside: boolean): void {
  const isFolder = !source.includes('.');
  const file = isFolder ? join(target, FILES[source] ?? 'file') : isInside ? join(target, source) : target;
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '');
  chmodSync(file, 0o666);
  if (isFolder) chmodSync(target, 0o777);
}

const FILES: Readonly<Record<string, string>> = { public: 'index.html', dist: 'server.js' };

test('render.yaml makes a Docker service with generated secrets and two trusted proxies', () => {
  const text = read('render.yaml');
  assert.match(text, /runtime: docker\n\s+plan: free\n\s+healthCheckPath: \/health\n/);
  for (const name of ['MASTER_API_KEY', 'UI_PASSWORD', 'ENCRYPTION_KEY']) {
    assert.match(text, new RegExp(`key: ${name}\\n\\s+generateValue: true\\n`));
  }
  assert.match(text, /key: TRUST_PROXY_HOPS\n\s+value: "2"\n/);
  const names = [...text.matchAll(/- key: (\w+)/g)].map((match) => match[1] ?? '');
  assert.deepEqual(
    names.filter((name) => !ENV_NAMES.some((known) => known === name)),
    [],
  );
});

test('Procfile starts the launcher, so that signals reach the server', () => {
  assert.equal(read('Procfile'), 'web: node server.js\n');
});

/** `import.meta` is put together, because the bundle of the tests replaces it in this file. */
const META = ['import', 'meta'].join('.');
const SERVER = `import { word } from './deep/word.ts';
const rest: string[] = process.argv.slice(2);
console.log(word, ...rest, /\\bdist$/.test(${META}.dirname) ? 'dist' : 'src');
`;

/** A folder with the launcher and two small sources in the place of the real ones. */
function layLauncher(t: TestContext, isInstalled: boolean): string {
  const folder = mkdtempSync(join(tmpdir(), 'ipin-proxy-launcher-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'src/deep'), { recursive: true });
  for (const name of ['server.js', 'bundle.js', 'package.json']) cpSync(join(ROOT, name), join(folder, name));
  writeFileSync(join(folder, 'src/server.ts'), SERVER);
  writeFileSync(join(folder, 'src/deep/word.ts'), "export const word: string = 'first';\n");
  if (isInstalled) symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return folder;
}

interface Launch {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the launcher to its end; `strips: false` makes a newer Node behave like Node 20. */
async function launch(folder: string, options: { args?: string[]; strips?: boolean } = {}): Promise<Launch> {
  const flags = options.strips !== true && canStrip ? ['--no-experimental-strip-types'] : [];
  const child = spawn(process.execPath, [...flags, 'server.js', ...(options.args ?? [])], {
    cwd: folder,
    env: {},
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

const canStrip = Reflect.get(process.features, 'typescript') === 'strip';

/** Each file with its content. */
function filesIn(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'latin1')]),
  );
}

function exitCodeOf(args: readonly string[], options: { env: NodeJS.ProcessEnv }): Promise<number> {
  return promisify(execFile)(process.execPath, args, options).then(
    () => 0,
    (error: { code: number }) => error.code,
  );
}

/** Whether a new process takes V8's code. Not this one: another test may have changed V8's flags, and then V8 takes none. */
function isCodeTaken(path: string): boolean {
  const script = `
    const { readFileSync } = require('node:fs');
    const [path] = process.argv.slice(1);
    const program = readFileSync(path.replace('.v8', '.cjs'), 'utf8');
    const cachedData = readFileSync(path);
    const { cachedDataRejected } = require('node:vm').compileFunction(program, ['require', '__dirname'], { cachedData });
    console.log(!cachedDataRejected);`;
  return execFileSync(process.execPath, ['-e', script, path], { encoding: 'utf8' }) === 'true\n';
}

describe('the launcher', () => {
  test('is plain JavaScript under 40 lines', () => {
    assert.ok(linesOf('server.js').length - 1 < 40);
    execFileSync(process.execPath, ['--check', join(ROOT, 'server.js')]);
  });

  test('compiles on a Node that does not strip types, and again after a change only', async (t) => {
    const folder = layLauncher(t, true);
    assert.deepEqual(await launch(folder, { args: ['demo'] }), {
      code: 0,
      stdout: 'first demo dist\n',
      stderr: '',
    });
    writeFileSync(join(folder, 'dist/server.js'), "console.log('kept dist');\n");
    assert.equal((await launch(folder)).stdout, 'kept dist\n');
    const later = new Date(Date.now() + 10_000);
    utimesSync(join(folder, 'src/deep/word.ts'), later, later);
    assert.equal((await launch(folder)).stdout, 'first dist\n');
  });

  test('leaves one program in dist/, with the code that V8 takes back, and runs without that too', async (t) => {
    const folder = layLauncher(t, true);
    mkdirSync(join(folder, 'dist/http'), { recursive: true });
    writeFileSync(join(folder, 'dist/http/old.js'), '');
    const later = new Date(Date.now() + 10_000);
    for (const word of ['first', 'second']) {
      writeFileSync(join(folder, 'src/deep/word.ts'), `export const word: string = '${word}';\n`);
      utimesSync(join(folder, 'src/deep/word.ts'), later, later);
      assert.equal((await launch(folder)).stdout, `${word} dist\n`);
      const names = readdirSync(join(folder, 'dist')).map((name) => name.replace(/-[0-9a-f]{8}\./, '-ID.'));
      assert.deepEqual(names.sort(), ['package.json', 'server-ID.cjs', 'server-ID.v8', 'server.js']);
    }
    const [code = ''] = readdirSync(join(folder, 'dist')).filter((name) => name.endsWith('.v8'));
    assert.equal(isCodeTaken(join(folder, 'dist', code)), true);
    writeFileSync(join(folder, 'dist', code), 'of another V8');
    assert.equal((await launch(folder)).stdout, 'second dist\n');
  });

  test('starts several times at once', async (t) => {
    const folder = layLauncher(t, true);
    const runs = await Promise.all(Array.from({ length: 4 }, () => launch(folder)));
    for (const run of runs) assert.deepEqual(run, { code: 0, stdout: 'first dist\n', stderr: '' });
  });

  test('says what to do where neither the Node nor a compiler can run the sources', async (t) => {
    const run = await launch(layLauncher(t, false));
    assert.equal(run.code, 1);
    assert.match(run.stderr, /^Node [\d.]+: run "npm ci" once .*\n$/);
    assert.equal(run.stdout, '');
  });

  test('runs dist/ where there is nothing else', async (t) => {
    const folder = layLauncher(t, true);
    await launch(folder);
    rmSync(join(folder, 'src'), { recursive: true });
    rmSync(join(folder, 'node_modules'));
    assert.equal((await launch(folder, { strips: true })).stdout, 'first dist\n');
  });

  test('stops on sources that do not parse, and leaves dist/ as it was', async (t) => {
    const folder = layLauncher(t, true);
    await launch(folder);
    const before = filesIn(join(folder, 'dist'));
    writeFileSync(join(folder, 'src/server.ts'), 'const = ;\n');
    const later = new Date(Date.now() + 10_000);
    utimesSync(join(folder, 'src/server.ts'), later, later);
    const run = await launch(folder);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /src\/server\.ts:1:6:[\s\S]*could not be built/);
    assert.deepEqual(filesIn(join(folder, 'dist')), before);
  });

  const reason = canStrip ? false : `Node ${process.versions.node} does not run TypeScript by itself`;
  test('runs src/ as it is, nothing installed and nothing built', { skip: reason }, async (t) => {
    const folder = layLauncher(t, false);
    const run = await launch(folder, { args: ['demo'], strips: true });
    assert.deepEqual(run, { code: 0, stdout: 'first demo src\n', stderr: '' });
    assert.equal(existsSync(join(folder, 'dist')), false);
  });
});
