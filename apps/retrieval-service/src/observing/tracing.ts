import { AquiferError } from '@aquifer/contracts';
import type { AnsweredRequest } from './request-lines.js';

/** Makes spans of requests. */
export interface RequestTracing {
  /** Runs the handling of a request inside of a span that goes on with the caller's trace (`traceparent`), and ends it with what is known of the request then. */
  during(
    headers: Readonly<Record<string, string | string[] | undefined>>,
    handle: () => Promise<AnsweredRequest>,
  ): Promise<void>;
}

/**
 * Spans by the API of OpenTelemetry: names, statuses, times of stages and tokens, and no text of anybody. Where they go is the affair of the SDK that the
 * process was started with; without one they cost nothing and go nowhere.
 *
 * @throws `missing-dependency` where `@opentelemetry/api` is not installed.
 */
export async function openTracing(): Promise<RequestTracing> {
  const { context, propagation, SpanKind, SpanStatusCode, trace } = await import('@opentelemetry/api').catch(
    (cause: unknown) => {
      throw new AquiferError(
        'missing-dependency',
        'Traces need OpenTelemetry: npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node, and start with NODE_OPTIONS="--import @opentelemetry/auto-instrumentations-node/register".',
        { cause },
      );
    },
  );
  const tracer = trace.getTracer('aquifer');
  return {
    async during(headers, handle) {
      const callers = propagation.extract(context.active(), headers);
      await tracer.startActiveSpan('request', { kind: SpanKind.SERVER }, callers, async (span) => {
        try {
          const { operation, status, requestId, ms, usages, method, isBroken } = await handle();
          span.updateName(operation);
          span.setAttributes({
            'http.request.method': method,
            'http.route': operation,
            'http.response.status_code': status,
            'aquifer.request_id': requestId,
            'aquifer.input_tokens': usages.reduce((sum, each) => sum + each.inputTokens, 0),
            'aquifer.output_tokens': usages.reduce((sum, each) => sum + each.outputTokens, 0),
            ...Object.fromEntries(Object.entries(ms).map(([stage, value]) => [`aquifer.stage.${stage}.ms`, value])),
          });
          if (status >= 500 || isBroken) span.setStatus({ code: SpanStatusCode.ERROR });
        } finally {
          span.end();
        }
      });
    },
  };
}
