const patterns = [
  // OpenAI, vLLM
  /maximum context length/i,
  // Ollama, llama.cpp
  /exceeds? (?:the |maximum )*(?:available )?context (?:length|size)/i,
  /input is too large to process/i,
  // Text Embeddings Inference, Text Generation Inference
  /`?inputs`? (?:tokens .{0,40})?must (?:have less than|be <=) \d+/i,
];

/** Whether a server refuses a request because its text is longer than the model takes: none of them has a code for it. */
export function saysTooLong(message: string): boolean {
  return patterns.some((pattern) => pattern.test(message));
}
