/** What several processes may ask of a provider together. */
export interface SharedQuota {
  /**
   * Reserves a stretch of time for some requests, after all that was reserved before, whoever did: at the given rates it is long enough for them.
   *
   * @throws where it cannot be asked; then nobody keeps to it for a while, and the provider throttles
   */
  acquire(asked: QuotaRequest): Promise<QuotaReservation>;
}

export interface QuotaRequest {
  /** Names the quota: provider, region or address, model. */
  readonly key: string;
  readonly requests: number;
  /** By estimate. */
  readonly tokens: number;
  /** What is allowed; Infinity for no limit. */
  readonly requestsPerSecond: number;
  readonly tokensPerSecond: number;
}

export interface QuotaReservation {
  /** How long until the first request may leave. */
  readonly waitMs: number;
  /** The time from the first to after the last. */
  readonly lengthMs: number;
}
