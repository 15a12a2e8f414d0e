import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { type App, createApp } from './app.ts';
import { type Books, closeBooks, openBooks as openOwnBooks } from './books.ts';
import { type Config, ConfigError, type Environment, loadConfig, mergeEnvironment } from './config.ts';
import { StaticFolder } from './http/static.ts';
import { startKeepAlivePing } from './keep-alive-ping.ts';
import { createLogger, createStdoutWriter, type Logger, LogSecrets } from './logger.ts';
import { resolveMasterKey } from './master-key.ts';
import { startProcessMetrics } from './metrics/process-metrics.ts';
import type { Snapshotter } from './offsite/snapshotter.ts';
import { SNAPSHOTS_OFF, type SnapshotStatus } from './offsite/status.ts';
import type { UsageCopy } from './offsite/usage-copy.ts';
import { type OpenStoreOptions, openShared, openStore } from './open-store.ts';
import { findStartWarnings } from './routes/admin/warnings.ts';
import type { Services } from './routes/services.ts';
import { onCrash, onSignals, shutDown } from './shutdown.ts';
import { StoreStartError } from './store/document-error.ts';
import type { MasterKey } from './store/entities.ts';
import type { Store } from './store/store.ts';

const ROOT = join(import.meta.dirname, '..');
/** The demo runs with the default password, so it listens on this machine only. */
const DEMO_HOST = '127.0.0.1';

const [, , word] = process.argv;
if (word !== undefined && word !== 'demo') exitWith([`There is no "${word}". Use: node server.js [demo]`]);
main(word === 'demo').catch(failStart);

async function main(isDemo: boolean): Promise<void> {
  const env = mergeEnvironment(process.env, readEnvFile());
  const config = isDemo ? toDemo(readConfig(env), env) : readConfig(env);
  let opened: Store | null = null;
  const logger = createStdoutLogger(config, () => opened);
  const offsite = await createOffsite(config, env, logger);
  const { snapshotter } = offsite;
  const app = createApp({
    config,
    logger,
    lifecycle: { phase: 'starting', startedAtMs: Date.now() },
    staticFolder: new StaticFolder(join(ROOT, 'public')),
    version: readVersion(),
    now: Date.now,
    randomBytes,
    ...(snapshotter === null ? {} : { snapshotStatus: () => statusOf(offsite) }),
  });
  // Until the state is open there is nothing to save: a signal ends the process at once.
  let drain = async (): Promise<void> => {};
  onSignals(() => drain());
  // A snapshot or Redis can take long: listen before, so that clients are told that the server is starting.
  const isEarly = snapshotter !== null || config.redisUrl !== null;
  const early = isEarly ? await listen(app, config) : null;
  const { store, masterKey, openBooks, announce } = isDemo
    ? await openDemo(config, env, logger)
    : await openDatabase({ config, logger, root: ROOT, snapshotter }, offsite);
  opened = store;
  const books = await openBooks();
  const services = app.open(store, masterKey, books);
  const warnings = isDemo ? [] : await findStartWarnings(services);
  const port = early ?? (await listenOrClose(app, config, store));
  logger.info('listening', { host: config.host, port, version: services.version });
  for (const { code, message } of warnings) logger.warn(code, { message });
  announce(port);
  const close = keepRunning(services, books, offsite);
  drain = () =>
    shutDown({ ...app, lifecycle: services.lifecycle, graceMs: config.shutdownGraceMs, logger, close });
  onCrash(logger, close);
}

/** A logger that hides the secrets of the settings and of the store, once that is open. */
function createStdoutLogger(config: Config, store: () => Store | null): Logger {
  const secrets = new LogSecrets(
    secretsOf(config),
    () => store()?.config.view().providers,
    () => store()?.config.view().settings.alertWebhook?.secret,
  );
  return createLogger({ level: config.logLevel, write: createStdoutWriter(), now: Date.now, secrets });
}

/** The state that a start serves. */
interface OpenState {
  readonly store: Store;
  readonly masterKey: () => MasterKey;
  /** Opens what is kept of finished calls. */
  openBooks(): Promise<Books>;
  /** Tells the owner what they need to know once the server listens. */
  announce(port: number): void;
}

/** Opens the database and lets its snapshots begin. @throws ConfigError, StoreStartError. */
async function openDatabase(options: OpenStoreOptions, { usageCopy }: Offsite): Promise<OpenState> {
  const { redisUrl } = options.config;
  if (redisUrl !== null) {
    const { store, books } = await openShared(redisUrl, options);
    const masterKey = await findMasterKey(store, options.config);
    const announce = (port: number): void => showAddress(options.config.host, port);
    return { store, masterKey, openBooks: async () => books, announce };
  }
  const store = await openStore(options);
  const masterKey = await findMasterKey(store, options.config);
  await options.snapshotter?.start(store);
  const openOwn = (): Promise<Books> => openUsage(store.usageFolder, { ...options, usageCopy });
  return { store, masterKey, openBooks: openOwn, announce: (port) => showAddress(options.config.host, port) };
}

/** Tells a person at a terminal which address to open. Where the output is collected, all of it stays JSON lines. */
function showAddress(host: string, port: number): void {
  if (!process.stdout.isTTY) return;
  const isEverywhere = host === '0.0.0.0' || host === '::';
  const name = isEverywhere || host === DEMO_HOST ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  process.stdout.write(`\nOpen http://${name}:${port}\n\n`);
}

/** Finds the master key; one that is generated is shown. */
function findMasterKey({ config }: Store, { masterApiKey }: Config): Promise<() => MasterKey> {
  const announce = (key: string): void => {
    process.stdout.write(`\nMaster API key (shown this once, keep it): ${key}\n\n`);
  };
  return resolveMasterKey(config, { configured: masterApiKey, randomBytes, announce });
}

/** Opens a throw-away store with the demo provider. */
async function openDemo(config: Config, env: Environment, logger: Logger): Promise<OpenState> {
  const { demoInstructions, startDemo } = await import('./demo/start.ts');
  const { store, key } = await startDemo(Date.now);
  const { masterApiKey: configured } = config;
  const masterKey = await resolveMasterKey(store.config, { configured, randomBytes, announce: () => {} });
  const announce = (port: number): void => {
    const host = env['HOST'];
    if (host && host !== DEMO_HOST) {
      process.stdout.write(`\nHOST is ignored: the demo listens on ${DEMO_HOST} only.\n`);
    }
    process.stdout.write(demoInstructions(port, key));
  };
  const openBooks = (): Promise<Books> => openUsage(null, { config, logger, usageCopy: null });
  return { store, masterKey, openBooks, announce };
}

interface UsageOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly usageCopy: UsageCopy | null;
}

/** Opens the books and lets their off-site copy begin; an empty folder is filled from that copy. */
async function openUsage(folder: string | null, { config, logger, usageCopy }: UsageOptions): Promise<Books> {
  const { requestLogBytes } = config;
  const findArchive = async (): Promise<Buffer | null> => (await usageCopy?.load()) ?? null;
  const books = await openOwnBooks({ folder, requestLogBytes, findArchive, logger, now: Date.now });
  usageCopy?.start(books.ledger);
  return books;
}

/** Starts what goes on beside requests. Returns the function that ends it and saves everything. */
function keepRunning(
  { config, logger, sessions, store, alerting, metrics }: Services,
  books: Books,
  { snapshotter, usageCopy }: Offsite,
): () => Promise<void> {
  sessions.prune().catch((error: unknown) => logger.warn('sessions not pruned', { message: String(error) }));
  const stopPing = config.keepAliveUrl === null ? null : startKeepAlivePing(config.keepAliveUrl, logger);
  const stopProcessMetrics = startProcessMetrics(metrics.registry);
  const stopAlerts = alerting.start();
  return async () => {
    stopPing?.();
    stopProcessMetrics();
    await stopAlerts();
    // Before the store gives up its lock: another process may open both then.
    await closeBooks(books);
    await store.close();
    await Promise.all([snapshotter?.flush(), usageCopy?.flush()]);
  };
}

function readConfig(env: Environment): Config {
  try {
    return loadConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    exitWith(error.lines);
  }
}

/** The demo writes little and listens on this machine only. Its state is thrown away. */
function toDemo(config: Config, env: Environment): Config {
  const logLevel = env['LOG_LEVEL'] ? config.logLevel : 'warn';
  return { ...config, logLevel, host: DEMO_HOST, snapshot: null, redisUrl: null };
}

function readEnvFile(): Environment {
  try {
    return parseEnv(readFileSync('.env', 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    exitWith([`The file .env cannot be read: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/** What is kept off the machine; both are null if nothing is. */
interface Offsite {
  readonly snapshotter: Snapshotter | null;
  readonly usageCopy: UsageCopy | null;
}

/** Keeps the offsite snapshots; loaded only if SNAPSHOT_URL is set. @throws ConfigError. */
async function createOffsite(config: Config, env: Environment, logger: Logger): Promise<Offsite> {
  if (config.snapshot === null) return { snapshotter: null, usageCopy: null };
  const { createSnapshotTarget } = await import('./offsite/create-target.ts');
  const { Snapshotter } = await import('./offsite/snapshotter.ts');
  const { UsageCopy, usageCopyUrl } = await import('./offsite/usage-copy.ts');
  const { url, key, token } = config.snapshot;
  const options = { key, logger, now: Date.now, randomBytes };
  const target = createSnapshotTarget({ url, token }, { env, now: Date.now });
  const usageTarget = createSnapshotTarget({ url: usageCopyUrl(url), token }, { env, now: Date.now });
  const snapshotter = new Snapshotter({ target, ...options });
  const mayWrite = (): boolean => snapshotter.status().lastResult === 'written';
  return { snapshotter, usageCopy: new UsageCopy({ target: usageTarget, ...options, mayWrite }) };
}

function statusOf({ snapshotter, usageCopy }: Offsite): SnapshotStatus {
  const status = snapshotter?.status() ?? SNAPSHOTS_OFF;
  return usageCopy === null ? status : { ...status, usage: usageCopy.status() };
}

/** For errors of a start that only a person can fix: prints their lines and exits. */
function failStart(error: unknown): never {
  if (error instanceof ConfigError) exitWith(error.lines);
  if (error instanceof StoreStartError) exitWith([error.message]);
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
    throw error;
  }
}

/** Resolves to the port. @throws ConfigError if the server cannot listen there. */
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

/** The secrets of the settings. */
function secretsOf(config: Config): string[] {
  const { masterApiKey, uiPassword, encryptionKey, previousEncryptionKey, snapshot, redisUrl } = config;
  const settings = [masterApiKey, uiPassword, encryptionKey, previousEncryptionKey];
  const passwords = redisUrl === null ? [] : passwordForms(redisUrl);
  return [...settings, snapshot?.key, snapshot?.token, ...passwords].filter(
    (secret) => typeof secret === 'string',
  );
}

/** The password of an address, as it stands there and as it is meant. */
function passwordForms(url: string): string[] {
  const { password } = new URL(url);
  return password === '' ? [] : [password, decodeURIComponent(password)];
}

function exitWith(lines: readonly string[]): never {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(1);
}
