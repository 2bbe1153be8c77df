import type { GenerateOptions, GeneratorEvent, PromptPassage } from '@aquifer/contracts';
import { samplePrompt } from '@aquifer/contracts/testing';
import { createBuiltinAnswerer } from '../builtin-answerer.js';

const passagePattern = /<passage number="(\d+)" source="([^"]*)">\n([\s\S]*?)\n<\/passage>/g;

/** What a test server answers to the words of a prompt of the generator suite: as the built-in answerer does. */
export function answerPrompt(user: string, options: GenerateOptions): AsyncIterable<GeneratorEvent> {
  const passages = [...user.matchAll(passagePattern)].map(([, number, source, text]) =>
    passage(Number(number), source!, text!),
  );
  const question = /<question>([\s\S]*)<\/question>/.exec(user)?.[1] ?? user;
  return createBuiltinAnswerer().generate(samplePrompt(question, passages), options);
}

function passage(number: number, source: string, text: string): PromptPassage {
  return {
    number,
    documentId: source,
    source,
    title: source,
    headings: [],
    start: 0,
    end: text.length,
    text,
    tableHeader: '',
  };
}
