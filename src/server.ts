import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { type App, createApp } from './app.ts';
import { type Config, ConfigError, type Environment, loadConfig, mergeEnvironment } from './config.ts';
import { listStaticFiles } from './http/static.ts';
import { startKeepAlivePing } from './keep-alive-ping.ts';
import type { Lifecycle } from './lifecycle.ts';
import { createLogger, createStdoutWriter, type Logger } from './logger.ts';
import { resolveMasterKey } from './master-key.ts';
import type { Snapshotter } from './offsite/snapshotter.ts';
import { openStore } from './open-store.ts';
import { findStartWarnings } from './routes/admin/status.ts';
import { shutDown } from './shutdown.ts';
import { StoreStartError } from './store/document-error.ts';
import type { Store } from './store/store.ts';

const ROOT = join(import.meta.dirname, '..');
/** The demo runs with the default password, so it never listens on a network. */
const DEMO_HOST = '127.0.0.1';

const [, , word] = process.argv;
if (word !== undefined && word !== 'demo') exitWith([`There is no "${word}". Use: node server.js [demo]`]);
void main(word === 'demo');

async function main(isDemo: boolean): Promise<void> {
  const env = mergeEnvironment(process.env, readEnvFile());
  const config = isDemo ? { ...readConfig(env), host: DEMO_HOST } : readConfig(env);
  const lifecycle: Lifecycle = { phase: 'starting', startedAt: Date.now() };
  let store: Store | null = null;
  const logger = createLogger({
    level: isDemo && !env['LOG_LEVEL'] ? 'warn' : config.logLevel,
    write: createStdoutWriter(),
    now: Date.now,
    secrets: createSecretsList(config, () => store),
  });
  const copies = isDemo ? null : await createCopies(config, env, logger).catch(failStart);
  const app = createApp({
    config,
    logger,
    lifecycle,
    staticFiles: listStaticFiles(join(ROOT, 'public')),
    version: readVersion(),
    now: Date.now,
    randomBytes,
    ...(copies === null ? {} : { snapshotStatus: () => copies.status() }),
  });
  // A start may wait long for the snapshot. Until it is over there is nothing to save.
  let drain = async (): Promise<void> => {};
  onSignals(() => drain());
  // Loading a snapshot may take long: listen early, so that clients are told that the server is starting.
  const early = copies === null ? null : await listen(app, config).catch(failStart);
  const demo = isDemo ? await (await import('./demo/start.ts')).startDemo(Date.now) : null;
  const open = { config, logger, root: ROOT, snapshotter: copies };
  const file = demo === null ? await openStore(open).catch(failStart) : null;
  const opened = file ?? demo?.store ?? failStart(new Error('there is no store'));
  store = opened;
  const masterKey = await resolveMasterKey(opened.config, {
    configured: config.masterApiKey,
    randomBytes,
    announce: (key) => {
      if (!isDemo) process.stdout.write(`\nMaster API key (shown this once, keep it): ${key}\n\n`);
    },
  });
  if (copies !== null && file !== null) await copies.start(file).catch(failStart);
  const services = app.open(opened, masterKey);
  services.sessions
    .prune()
    .catch((error: unknown) => logger.warn('sessions not pruned', { message: String(error) }));
  const warnings = isDemo ? [] : await findStartWarnings(services);
  const port = early ?? (await listenOrClose(app, config, opened));
  logger.info('listening', { host: config.host, port, version: services.version });
  for (const { code, message } of warnings) logger.warn(code, { message });
  if (demo !== null) await announceDemo(port, demo.key, env);
  const stopPing = config.keepAliveUrl === null ? null : startKeepAlivePing(config.keepAliveUrl, logger);
  const close = async (): Promise<void> => {
    stopPing?.();
    await services.store.close();
    await copies?.flush();
  };
  drain = () =>
    shutDown({
      server: app.server,
      lifecycle,
      graceMs: config.shutdownGraceMs,
      logger,
      abortRequests: app.abortRequests,
      close,
    });
  onCrash(logger, close);
}

/** Writes what to do with the demo, and that it does not listen where it was told to. */
async function announceDemo(port: number, key: string, env: Environment): Promise<void> {
  const { demoInstructions } = await import('./demo/start.ts');
  const host = env['HOST'];
  if (host && host !== DEMO_HOST)
    process.stdout.write(`\nHOST is ignored: the demo listens on ${DEMO_HOST} only.\n`);
  process.stdout.write(demoInstructions(port, key));
}

function readConfig(env: Environment): Config {
  try {
    return loadConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    exitWith(error.lines);
  }
}

function readEnvFile(): Environment {
  try {
    return parseEnv(readFileSync('.env', 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    exitWith([`The file .env cannot be read: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/** What keeps copies of the state off the machine; loaded only where it is wanted. */
async function createCopies(config: Config, env: Environment, logger: Logger): Promise<Snapshotter | null> {
  if (config.snapshot === null) return null;
  const { createSnapshotTarget } = await import('./offsite/create-target.ts');
  const { Snapshotter } = await import('./offsite/snapshotter.ts');
  const target = createSnapshotTarget(config.snapshot, { env, now: Date.now });
  return new Snapshotter({ target, key: config.snapshot.key, logger, now: Date.now, randomBytes });
}

/** For errors of a start that only a person can mend: one line each, and the end. */
function failStart(error: unknown): never {
  if (error instanceof ConfigError) exitWith(error.lines);
  if (error instanceof StoreStartError || (error instanceof Error && error.name === 'SnapshotStartError')) {
    exitWith([error.message]);
  }
  throw error;
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : null;
  return typeof version === 'string' ? version : 'unknown';
}

async function listenOrClose(app: App, config: Config, store: Store): Promise<number> {
  try {
    return await listen(app, config);
  } catch (error) {
    await store.close();
    failStart(error);
  }
}

/** @throws ConfigError where the address cannot be had. */
function listen({ server }: App, { host, port }: Config): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const isTaken = error.code === 'EADDRINUSE';
      const hint = isTaken
        ? 'Another program uses it: stop it, or set PORT to another number.'
        : error.message;
      reject(new ConfigError([`Cannot listen on ${host}:${port}. ${hint}`]));
    };
    server.once('error', onError).listen(port, host, () => {
      server.off('error', onError);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Everything that a log line must not hold: the same list as long as the providers are the same. */
function createSecretsList(config: Config, store: () => Store | null): () => readonly string[] {
  const { masterApiKey, uiPassword, encryptionKey, previousEncryptionKey, snapshot } = config;
  const own = [
    masterApiKey,
    uiPassword,
    encryptionKey,
    previousEncryptionKey,
    snapshot?.key,
    snapshot?.token,
  ];
  let known: unknown = null;
  let list: readonly string[] = own.filter((secret) => typeof secret === 'string');
  return () => {
    const providers = store()?.config.view().providers;
    if (providers === undefined || providers === known) return list;
    known = providers;
    const keys = [...providers.values()].map(({ apiKey }) => apiKey);
    list = [...own, ...keys].filter((secret) => typeof secret === 'string');
    return list;
  };
}

/** The first signal drains, the second ends at once. */
function onSignals(drain: () => Promise<void>): void {
  let isDraining = false;
  const onSignal = (): void => {
    if (isDraining) process.exit(1);
    isDraining = true;
    drain().then(
      () => process.exit(0),
      (error: unknown) =>
        exitWith([`The shutdown failed: ${error instanceof Error ? error.message : String(error)}`]),
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** An error that nobody caught leaves the process in an unknown state: say so, save, end. The supervisor starts it anew. */
function onCrash(logger: Logger, close: () => Promise<void>): void {
  const onError = (error: unknown): void => {
    logger.error('crash', { stack: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    setTimeout(() => process.exit(1), 5_000).unref();
    close().finally(() => process.exit(1));
  };
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
}

function exitWith(lines: readonly string[]): never {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(1);
}
