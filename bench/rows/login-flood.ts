import { runClosedWithFailures, runPaced } from '../load/load.ts';
import { type Measurement, sampleOf } from '../measurement.ts';
import { bodyFile, chatBody, onStage } from '../stage.ts';

/** Chat completions during a flood of sign-in attempts with wrong passwords. */
export const measurement: Measurement = {
  name: 'login-flood',
  title: 'Chat beside a flood of wrong logins',
  columns: ['without it', 'beside it'],
  measure: (run) =>
    onStage(run, {}, async ({ proxy, headers }) => {
      const seconds = run.pick(10, 1);
      const origin = `http://127.0.0.1:${proxy.port}`;
      const chat = bodyFile(run, 'chat.json', chatBody('bench-model', false));
      const paced = { url: `${origin}/v1/chat/completions`, headers, bodyPath: chat, perSecond: 50, seconds };
      const wrong = bodyFile(
        run,
        'login.json',
        JSON.stringify({ username: 'bench-admin', password: 'not-this-one' }),
      );
      const flood = {
        url: `${origin}/api/admin/login`,
        headers: { 'content-type': 'application/json' },
        bodyPath: wrong,
        connections: 32,
        seconds: seconds + 1,
      };
      await runPaced({ ...paced, seconds: 1 });
      const idleMib = proxy.memory().rssMib;
      const quiet = await runPaced(paced);
      const [logins, loud] = await Promise.all([runClosedWithFailures(flood), runPaced(paced)]);
      if (logins.responses > 0) throw new Error('a wrong password was accepted');
      const one = (value: number) => sampleOf([value]);
      return [
        { what: 'Chat, p50', unit: 'ms', bare: one(quiet.p50Ms), proxy: one(loud.p50Ms) },
        { what: 'Chat, p99', unit: 'ms', bare: one(quiet.p99Ms), proxy: one(loud.p99Ms) },
        { what: 'Logins refused', unit: '1/s', bare: null, proxy: one(logins.others / logins.seconds) },
        {
          what: 'Memory, highest over idle',
          unit: 'MiB',
          bare: null,
          proxy: one(proxy.memory().peakMib - idleMib),
        },
      ];
    }),
};
