import type { GeneratorEvent } from '@aquifer/contracts';

const opening = '<think>';
const closing = '</think>';

/**
 * Takes out what a reasoning model says to itself before it answers, where its server leaves that in the text (llama.cpp, vLLM without a
 * reasoning parser, older Ollama): it is no answer, and what it says about passages is no citation. Text that begins in another way goes
 * through as it comes.
 */
export async function* withoutThinking(events: AsyncIterable<GeneratorEvent>): AsyncGenerator<GeneratorEvent> {
  let state: 'beginning' | 'thinking' | 'thought' | 'answering' = 'beginning';
  let held = '';
  for await (const event of events) {
    if (event.type !== 'text') {
      if (state === 'beginning' && held !== '') yield { type: 'text', text: held };
      yield event;
      continue;
    }
    if (state === 'answering') {
      yield event;
      continue;
    }
    held += event.text;
    if (state === 'beginning') {
      const begun = held.trimStart();
      if (begun.startsWith(opening)) state = 'thinking';
      else if (!opening.startsWith(begun)) state = 'answering';
    }
    if (state === 'thinking') {
      const end = held.indexOf(closing);
      if (end < 0) {
        // The closing tag may come in pieces.
        held = held.slice(-closing.length);
        continue;
      }
      held = held.slice(end + closing.length);
      state = 'thought';
    }
    if (state === 'thought') {
      held = held.trimStart();
      if (held !== '') state = 'answering';
    }
    if (state === 'answering') {
      yield { type: 'text', text: held };
      held = '';
    }
  }
}
