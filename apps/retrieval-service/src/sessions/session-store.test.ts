import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSessionStore } from './session-store.js';

const turn = (question: string) => ({ question, answer: `Answer to ${question}` });

describe('the session store', () => {
  it('keeps what was asked, as it stands alone, for its tenant and its knowledge base', () => {
    const store = createSessionStore();
    const begun = store.begin('acme', 'KB1');
    assert.equal(store.find('acme', 'KB1', begun.id), undefined);
    begun.keep({ ...turn('And there?'), standaloneQuestion: 'And in Japan?' });
    assert.deepEqual(store.find('acme', 'KB1', begun.id)?.turns, [
      { question: 'And in Japan?', answer: 'Answer to And there?' },
    ]);
    assert.equal(store.find('other', 'KB1', begun.id), undefined);
    assert.equal(store.find('acme', 'KB2', begun.id), undefined);
  });

  it('forgets what is old, and the oldest turns and sessions where there are too many', () => {
    let now = 0;
    const store = createSessionStore({ now: () => now, idleMs: 100, mostSessions: 2 });
    const [first, second, third] = [store.begin('a', 'K'), store.begin('a', 'K'), store.begin('a', 'K')];
    first.keep(turn('1'));
    second.keep(turn('2'));
    first.keep(turn('3'));
    const others = store.begin('b', 'K');
    others.keep(turn('4'));
    third.keep(turn('5'));
    const known = (tenant: string, id: string) => store.find(tenant, 'K', id) !== undefined;
    assert.deepEqual(
      [known('a', first.id), known('a', second.id), known('a', third.id), known('b', others.id)],
      [true, false, true, true],
    );
    for (let index = 0; index < 20; index++) third.keep(turn(`${index}`));
    assert.deepEqual(
      store
        .find('a', 'K', third.id)
        ?.turns.map(({ question }) => question)
        .slice(0, 2),
      ['10', '11'],
    );
    now = 101;
    assert.deepEqual([known('a', first.id), known('b', others.id)], [false, false]);
  });

  it('keeps the beginning of a long answer', () => {
    const store = createSessionStore();
    const session = store.begin('a', 'K');
    session.keep({ question: 'q', answer: 'x'.repeat(5_000) });
    assert.equal(store.find('a', 'K', session.id)?.turns[0]?.answer.length, 1_000);
  });
});
