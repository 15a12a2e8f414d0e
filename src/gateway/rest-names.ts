/** What an attempt is aimed at, by name. */
export interface Aim {
  readonly providerId: string;
  readonly upstreamModel: string;
  /** null: the provider has no key. */
  readonly keyId: string | null;
}

// Ids hold no line feed, and an upstream model stands last, so no name can be taken for another.

/** The names under which the troubles of an aim are kept. */
export function namesOf(aim: Aim): readonly [target: string, key: string, pair: string] {
  const { providerId, keyId, upstreamModel } = aim;
  return [targetName(aim), keyName(providerId, keyId), pairPrefix(providerId, keyId) + upstreamModel];
}

/** All names of a provider begin with this. */
export function providerPrefix(providerId: string): string {
  return `${providerId}\n`;
}

/** The names of a provider's targets begin with this. */
export function targetPrefix(providerId: string): string {
  return `${providerPrefix(providerId)}target\n`;
}

/** The name of a target. */
export function targetName({ providerId, upstreamModel }: Aim): string {
  return targetPrefix(providerId) + upstreamModel;
}

/** The name of a key. */
export function keyName(providerId: string, keyId: string | null): string {
  return `${providerPrefix(providerId)}key\n${keyId ?? ''}`;
}

/** The names of a key with its models begin with this. */
export function pairPrefix(providerId: string, keyId: string | null): string {
  return `${keyName(providerId, keyId)}\n`;
}
