/**
 * A cross-encoder of a few hundred bytes: its logit grows with the number of token pairs, one of the query and one of the text, that are
 * equal. A valid ONNX graph with the inputs and the output of `BertForSequenceClassification`, so that everything around the weights is
 * tested with the real tokenizer and the real runtime.
 *
 * The bytes are ONNX's protobuf, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; the numbers of its fields stand below.
 */
export function overlapCrossEncoder(output = 'logits'): Uint8Array {
  const sequence = ['input_ids', 'attention_mask', 'token_type_ids'];
  const graph = message([
    ...[
      node('Unsqueeze', ['input_ids', 'axis2'], 'column'),
      node('Unsqueeze', ['input_ids', 'axis1'], 'row'),
      node('Equal', ['column', 'row'], 'equal'),
      node('Cast', ['equal'], 'pairs', { to: floatType }),
      node('Cast', ['token_type_ids'], 'in_text', { to: floatType }),
      node('Cast', ['attention_mask'], 'seen', { to: floatType }),
      node('Sub', ['seen', 'in_text'], 'in_query'),
      node('Unsqueeze', ['in_query', 'axis1'], 'query_row'),
      node('Unsqueeze', ['in_text', 'axis2'], 'text_column'),
      node('MatMul', ['query_row', 'pairs'], 'matches'),
      node('MatMul', ['matches', 'text_column'], 'overlap'),
      node('Squeeze', ['overlap', 'axis2'], 'count'),
      node('Mul', ['count', 'slope'], 'scaled'),
      node('Sub', ['scaled', 'bias'], output),
    ].map((bytes) => field(1, bytes)),
    field(2, text('overlap')),
    field(5, integerTensor('axis1', 1n)),
    field(5, integerTensor('axis2', 2n)),
    field(5, floatTensor('slope', 0.25)),
    field(5, floatTensor('bias', 2)),
    ...sequence.map((name) => field(11, valueInfo(name, integerType, ['batch', 'length']))),
    field(12, valueInfo(output, floatType, ['batch', 'one'])),
  ]);
  const operators = message([field(1, text('')), field(2, 13n)]);
  return message([field(1, 8n), field(7, graph), field(8, operators)]);
}

const floatType = 1n;
const integerType = 7n;

function node(operator: string, inputs: readonly string[], output: string, attributes: Record<string, bigint> = {}) {
  return message([
    ...inputs.map((name) => field(1, text(name))),
    field(2, text(output)),
    field(4, text(operator)),
    ...Object.entries(attributes).map(([name, value]) =>
      field(5, message([field(1, text(name)), field(3, value), field(20, 2n)])),
    ),
  ]);
}

function integerTensor(name: string, value: bigint): Uint8Array {
  const raw = new Uint8Array(BigInt64Array.of(value).buffer);
  return message([field(1, 1n), field(2, integerType), field(8, text(name)), field(9, raw)]);
}

function floatTensor(name: string, value: number): Uint8Array {
  return message([field(2, floatType), field(8, text(name)), field(9, new Uint8Array(Float32Array.of(value).buffer))]);
}

function valueInfo(name: string, type: bigint, dimensions: readonly string[]): Uint8Array {
  const shape = message(dimensions.map((dimension) => field(1, message([field(2, text(dimension))]))));
  return message([field(1, text(name)), field(2, message([field(1, message([field(1, type), field(2, shape)]))]))]);
}

/** A field with a whole number or with bytes. */
function field(number: number, value: bigint | Uint8Array): Uint8Array {
  if (typeof value === 'bigint') return message([variableInteger(BigInt(number << 3)), variableInteger(value)]);
  return message([variableInteger(BigInt((number << 3) | 2)), variableInteger(BigInt(value.length)), value]);
}

function variableInteger(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.of(...bytes, Number(rest));
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function message(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
