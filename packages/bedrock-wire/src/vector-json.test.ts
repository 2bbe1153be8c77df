import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { binaryComponents, joinJson } from './vector-json.js';

const parsed = (vector: Float32Array): number[] => JSON.parse(joinJson(vector));

describe('vectors as JSON', () => {
  it('are the same numbers to the ninth decimal, or to nine digits where they are small', () => {
    let state = 1;
    const vector = Float32Array.from({ length: 20_000 }, (_, index) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      const value = (state / 2 ** 31 - 1) / 10 ** (index % 8);
      return index % 5 === 0 ? value * 1_000 : value;
    });
    for (const [index, value] of parsed(vector).entries()) {
      const error = Math.abs(value - vector[index]!);
      assert.ok(error <= Math.max(1e-9, Math.abs(vector[index]!) * 1e-8), `${value} for ${vector[index]}`);
    }
  });

  it('hold at the edges', () => {
    const edges = [0, -0, 1, -1, 0.5, -0.001, 0.001, 0.000999, 1e-38, 3e38, 0.99999994, 100, -0.25];
    assert.deepEqual(
      parsed(Float32Array.from(edges)).map(Math.fround),
      [...Float32Array.from(edges)].map((value) => (value === 0 ? 0 : value)),
    );
    assert.equal(joinJson(new Float32Array(0)), '[]');
    assert.equal(joinJson(Float32Array.of(0.5, -0.125)), '[0.500000000,-0.125000000]');
  });

  it('stand among text, also twice', () => {
    const [one, two] = [Float32Array.of(0.5), new Float32Array(30_000).fill(0.25)];
    const text = joinJson('{"名":', one, ',"b":', two, ',"c":', one, ',"d":', two, '}');
    assert.deepEqual(JSON.parse(text), { 名: [0.5], b: [...two], c: [0.5], d: [...two] });
  });

  it('have a bit for each component', () => {
    assert.deepEqual(binaryComponents(Float32Array.of(0.1, -0.1, 0)), [1, 0, 0]);
  });
});
