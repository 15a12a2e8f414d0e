import type { Handler } from '../context.ts';
import type { Services } from '../services.ts';
import { sendUsage } from '../usage-report.ts';
import { signedInUser } from './me.ts';

/** What the signed-in user used. */
export function userUsage(services: Services): Handler {
  return (context) => sendUsage(context, services, signedInUser(context.principal).user.id);
}
