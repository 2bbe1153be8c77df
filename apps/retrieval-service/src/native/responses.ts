import { z } from '@hono/zod-openapi';
import { problemSchema } from './schemas.js';

const problem = (description: string) => ({ description, content: { 'application/json': { schema: problemSchema } } });

/** What any route may answer instead of its result. */
export const problems = {
  400: problem('The request is not valid'),
  401: problem('A key is needed'),
  403: problem('The key may not do this'),
  404: problem('There is no such thing'),
  409: problem('The state of things does not allow it now'),
  413: problem('Too large'),
  415: problem('Not a kind of content that is taken'),
  429: problem('Too many requests'),
  500: problem('The service failed'),
  502: problem('A model failed'),
  503: problem('Something that the service needs is not available now'),
} as const;

export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

export const knowledgeBaseParameter = z.object({
  knowledgeBase: z.string().min(1).max(200).describe('Its id, or its name').openapi({ example: 'default' }),
});

export const documentParameters = knowledgeBaseParameter.extend({
  document: z.string().min(1).max(200).describe('Its id'),
});
