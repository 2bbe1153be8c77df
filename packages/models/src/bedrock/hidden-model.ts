import { AquiferError } from '@aquifer/contracts';

/** Of the ARN of something in an account, where what to send depends on the model behind it and nobody has named that. */
export function hiddenModel(arn: string, example: string): AquiferError {
  return new AquiferError(
    'invalid-options',
    `${arn} does not say which model is behind it. Name the model behind an @, such as ${arn}@${example}`,
  );
}
