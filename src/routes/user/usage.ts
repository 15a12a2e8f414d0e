import type { Handler } from '../context.ts';
import type { Services } from '../services.ts';
import { sendUsage } from '../usage-report.ts';
import { signedInUser } from './me.ts';
import { OwnTurns } from './own-turns.ts';

/** What the signed-in user used. */
export function userUsage(services: Services): Handler {
  const turns = new OwnTurns();
  return (context) => {
    const { id } = signedInUser(context.principal).user;
    return turns.run(id, () => sendUsage(context, services, id));
  };
}
