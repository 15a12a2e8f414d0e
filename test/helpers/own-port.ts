import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';

/** `fetch` and browsers refuse some of the ports below. */
const FIRST = 10_081;
/** Where Linux begins to give ports to those who ask for any; other systems begin higher. */
const USUAL_END = 32_768;

let tried = 0;

/**
 * A port that is the test's own until its end, also while nobody listens on it: the system gives it to nobody who asks for
 * any port, and this function to no other test. No process gets one twice, so that no connection of an earlier test that
 * is kept for later leads there.
 */
export async function ownPort(t: Pick<TestContext, 'after'>): Promise<number> {
  const count = endOfUngiven() - FIRST;
  // Every process begins elsewhere, so that they seldom meet.
  const start = process.pid * 97;
  while (tried < count) {
    const port = FIRST + ((start + tried) % count);
    tried += 1;
    if ((await claim(t, port)) && (await isUnused(port))) return port;
  }
  throw new Error(`No port from ${FIRST} on is free.`);
}

/** The first of the ports that the system gives to whoever asks for any. */
function endOfUngiven(): number {
  try {
    const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1');
    const end = Number.parseInt(range, 10);
    return end > FIRST ? end : USUAL_END;
  } catch {
    return USUAL_END;
  }
}

/** UDP counts its ports apart from TCP: holding the one of the same number tells other tests that it is taken. */
async function claim(t: Pick<TestContext, 'after'>, port: number): Promise<boolean> {
  const socket = createSocket('udp4').bind({ port, address: '127.0.0.1', exclusive: true });
  const isOurs = await happens(once(socket, 'listening'));
  if (isOurs) t.after(() => socket.close());
  return isOurs;
}

async function isUnused(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  if (!(await happens(once(server, 'listening')))) return false;
  server.close();
  await once(server, 'close');
  return true;
}

/** False where `error` comes first. */
function happens(event: Promise<unknown>): Promise<boolean> {
  return event.then(
    () => true,
    () => false,
  );
}
