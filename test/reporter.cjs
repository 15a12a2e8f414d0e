// A reporter for node:test that says nothing of tests that pass: it shows each failure, what the tests print, and in the
// end what was skipped and why, and the totals. CommonJS, because the runner takes a module's default export, which this
// code base does without.
const { relative } = require('node:path');
const { inspect } = require('node:util');

/** How the runner marks the tests that --test-name-pattern leaves out. */
const LEFT_OUT = /^test name does not match pattern/;
/** How the runner marks a suite or test whose own failure is that of a part of it. */
const OF_PARTS = 'subtestsFailed';

/** How the runner tells of an error after the end of a test, which fails the file, but no test. */
const AFTER_END = /asynchronous activity after the test ended/;

/** Lines of a stack that say nothing of the test. */
const OF_NODE = /^ +at .*(node:|<anonymous>\)$)/;

/** Yields text from the runner's events. */
async function* reporter(events) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  const skipped = [];
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') yield data.message;
    if (type === 'test:diagnostic' && AFTER_END.test(data.message))
      yield `\n${placeOf(data)}${data.message}\n`;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const reason = data.skip ?? data.todo;
    if (reason !== undefined) {
      if (LEFT_OUT.test(String(reason))) continue;
      count.skipped += 1;
      skipped.push(
        `- ${placeOf(data)}${data.name}: ${reason === true || reason === '' ? 'no reason given' : reason}\n`,
      );
      continue;
    }
    const isPart = data.details?.type !== 'suite' && !isFile(data);
    if (type === 'test:pass') {
      if (isPart) count.passed += 1;
    } else if (data.details?.error?.failureType !== OF_PARTS) {
      count.failed += 1;
      yield describe(data);
    }
  }
  if (skipped.length > 0) yield `\nSkipped (${skipped.length}):\n${skipped.join('')}`;
  yield `\nTests: ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`;
  if (count.passed === 0) process.exitCode = 1;
}

/** The runner reports a file, here a group of them, as a test too. */
function isFile({ nesting, name }) {
  return nesting === 0 && /\.(mjs|ts)$/.test(name);
}

function placeOf({ file, line }) {
  if (file === undefined) return '';
  return `${relative(process.cwd(), file)}${line === undefined ? '' : `:${line}`}: `;
}

function describe(data) {
  const { error } = data.details ?? {};
  const cause = error?.cause ?? error;
  const text = typeof cause === 'string' ? cause : inspect(cause, { colors: process.stdout.isTTY === true });
  const lines = text.split('\n').filter((line) => !OF_NODE.test(line));
  // Without it, a process that ends in the middle of its tests would not tell why.
  if (isFile(data)) lines.push(`exit code ${error?.exitCode}, signal ${error?.signal}`);
  return `\n✖ ${placeOf(data)}${data.name}\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

module.exports = reporter;
