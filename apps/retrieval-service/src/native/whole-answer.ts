import type { Answer, AnswerEvent } from 'aquifer';

/** The answer, for who does not want it piece by piece. */
export async function wholeAnswer(events: AsyncIterable<AnswerEvent>): Promise<Answer> {
  for await (const event of events) if (event.type === 'answer') return event.answer;
  throw new Error('An answer ended without being whole.');
}
