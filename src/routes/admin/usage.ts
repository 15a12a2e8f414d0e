import type { Handler } from '../context.ts';
import type { Services } from '../services.ts';
import { sendUsage } from '../usage-report.ts';

/** What everybody used. */
export function adminUsage(services: Services): Handler {
  return (context) => sendUsage(context, services, null);
}
