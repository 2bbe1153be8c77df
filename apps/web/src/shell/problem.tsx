import { ServiceError } from '@aquifer/client';
import { useMessages } from '../language/language.js';

/** What went wrong, in the words of the service, which say what to do. */
export function Problem({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const messages = useMessages();
  const { message } = error as Error;
  return (
    <div className="callout bad" role="alert">
      <p>{message}</p>
      {error instanceof ServiceError && (
        <p className="small">
          <code>{error.code}</code>
          {error.requestId && <> · {error.requestId}</>}
        </p>
      )}
      {onRetry && (
        <button type="button" onClick={onRetry}>
          {messages.tryAgain}
        </button>
      )}
    </div>
  );
}
