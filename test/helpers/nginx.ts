import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ownPort } from './own-port.ts';
import { makeTestFolder } from './start-server.ts';

const COMMAND = 'nginx';
/** Debian's user for web servers: part of its base system. */
const WORKER_USER = 'www-data';
const START_MS = 20_000;

/** The reason why nginx cannot run here as a user of its own; false where it can. */
export function nginxSkipped(): string | false {
  if (process.getuid?.() !== 0) return 'only root can start nginx as another user';
  if (spawnSync(COMMAND, ['-v']).status !== 0) return 'nginx is not installed';
  if (spawnSync('id', ['-u', WORKER_USER]).status !== 0) return `there is no user ${WORKER_USER}`;
  return false;
}

/**
 * Starts nginx in front of a server on 127.0.0.1; it ends with the test. The location holds a bare `proxy_pass` and what
 * became its defaults in nginx 1.29.7, written out for older versions: HTTP/1.1, and no Connection header.
 * @returns its origin
 */
export function startNginx(t: TestContext, upstreamPort: number): Promise<string> {
  return startNginxWith(t, (port) => bareLocation(port, upstreamPort));
}

/**
 * Starts nginx with a configuration for its block `http`; it ends with the test.
 * @param siteOf gets the port on which it must listen, on 127.0.0.1
 * @returns its origin
 */
export async function startNginxWith(t: TestContext, siteOf: (port: number) => string): Promise<string> {
  const folder = makeTestFolder(t);
  chmodSync(folder, 0o755);
  const port = await ownPort(t);
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration(folder, siteOf(port)));
  const child = spawn(COMMAND, ['-p', folder, '-c', file, '-e', 'stderr']);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  t.after(() => {
    child.kill('SIGTERM');
    return ended;
  });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`nginx ${why}: ${output}`));
    const deadline = setTimeout(fail, START_MS, 'did not start in time');
    child.once('error', (error) => fail(`cannot be run: ${error.message}`));
    child.once('close', () => fail('ended at its start'));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (!output.includes('start worker process ')) return;
      clearTimeout(deadline);
      resolve();
    });
  });
  return `http://127.0.0.1:${port}`;
}

function configuration(folder: string, site: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
    user ${WORKER_USER};
    worker_processes 1;
    daemon off;
    pid ${folder}/nginx.pid;
    error_log stderr notice;
    events {}
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n      ')}
      ${site}
    }`;
}

function bareLocation(port: number, upstreamPort: number): string {
  return `
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://127.0.0.1:${upstreamPort};
          proxy_http_version 1.1;
          proxy_set_header Connection "";
        }
      }`;
}
