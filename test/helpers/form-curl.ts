import { type ExecFileException, execFile, spawnSync } from 'node:child_process';
import { MASTER_KEY } from './start-app.ts';

/** Why tests with curl are skipped; false where it is there. */
export const NO_CURL = spawnSync('curl', ['--version']).status === 0 ? false : 'curl is not installed';

export interface CurlAnswer {
  readonly status: number;
  readonly body: string;
  /** 0 where curl had no trouble with the connection; an HTTP error is none. */
  readonly exitCode: ExecFileException['code'];
  /** What curl has to say about its trouble. */
  readonly stderr: string;
}

export interface CurlForm {
  readonly url: string;
  /** What stands behind each `-F`. */
  readonly fields: readonly string[];
  /** Further options. */
  readonly options?: readonly string[];
  /** For `file=@-`. */
  readonly input?: Buffer;
}

/** Sends a form with the curl that is installed, with the master key. */
export function curl({ url, fields, options = [], input }: CurlForm): Promise<CurlAnswer> {
  const form = fields.flatMap((field) => ['-F', field]);
  const common = ['--silent', '--show-error', '--write-out', '\n%{http_code}', '--max-time', '20'];
  const authorization = `Authorization: Bearer ${MASTER_KEY}`;
  return new Promise((resolve) => {
    const child = execFile(
      'curl',
      [...common, '-H', authorization, ...options, url, ...form],
      (error, stdout, stderr) => {
        const lineEnd = stdout.lastIndexOf('\n');
        resolve({
          status: Number(stdout.slice(lineEnd + 1)),
          body: stdout.slice(0, lineEnd),
          exitCode: error?.code ?? 0,
          stderr,
        });
      },
    );
    // A server that refuses early makes curl stop reading.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
