import type { Alert, AlertType } from '../../src/usage/alert-message.ts';
import type { AlertOutlet } from '../../src/usage/alerts.ts';

export interface SentAlert {
  readonly type: AlertType;
  readonly data: Alert['data'];
}

/** Alerts that end in a list instead of at a webhook. */
export function alertsIntoList(): {
  readonly alerts: AlertOutlet & { isOn: boolean; isFull: boolean };
  readonly sent: SentAlert[];
} {
  const sent: SentAlert[] = [];
  const alerts = {
    isOn: true,
    isFull: false,
    send(type: AlertType, data: Alert['data']) {
      if (!alerts.isOn || alerts.isFull) return false;
      sent.push({ type, data });
      return true;
    },
  };
  return { alerts, sent };
}
