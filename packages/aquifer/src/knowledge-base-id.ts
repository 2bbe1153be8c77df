import { randomInt } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Ten characters `[0-9A-Z]`, the form of Bedrock's `knowledgeBaseId`. */
export function createKnowledgeBaseId(): string {
  return Array.from({ length: 10 }, () => alphabet[randomInt(alphabet.length)]).join('');
}
