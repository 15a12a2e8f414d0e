/** The admin's password until one is set. */
export const DEFAULT_PASSWORD = 'admin';

/** Passwords that everybody knows. They sign in the admin on the machine itself only. */
export const DEFAULT_PASSWORDS: readonly string[] = [DEFAULT_PASSWORD, 'your-password'];

/** Keys that documents print as samples. They work on the machine itself only. */
const SAMPLE_KEYS: readonly string[] = ['sk-123', 'sk-your-secret-key', 'sk-your-api-key'];

/** True for a password that everybody knows. */
export function isDefaultPassword(password: string): boolean {
  return DEFAULT_PASSWORDS.includes(password);
}

/** True for a key that documents print as a sample. */
export function isSampleKey(key: string): boolean {
  return SAMPLE_KEYS.includes(key);
}
