import { type DataSourcePlace, invalidRequest } from '@aquifer/bedrock-wire';
import { isAllowedObject, isAllowedPrefix } from '../hosting/allowed-objects.js';

/** What buckets the service, whose credentials read them, reads for its callers. */
export function createAllowedPlaces(allowed: readonly string[]) {
  const refuse = (place: string): never => {
    throw invalidRequest(
      allowed.length === 0
        ? 'This service reads no buckets for its callers: the setting dataSources (--data-sources s3://bucket/prefix) names those that it may.'
        : `The service may not read ${place} for its callers: it is not below any of the addresses of the setting dataSources.`,
    );
  };
  return {
    checkPlace(place: DataSourcePlace): void {
      if (place.type !== 'S3') return;
      const start = `s3://${place.bucket}/${place.prefix}`;
      if (!isAllowedPrefix(start, allowed)) refuse(start);
    },
    checkObject(uri: string): void {
      if (!isAllowedObject(uri, allowed)) refuse(uri);
    },
  };
}
