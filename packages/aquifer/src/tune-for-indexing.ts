import { setFlagsFromString } from 'node:v8';

/**
 * How much more than what is in use V8 lets gather before it collects everything. Left to itself it waits for up to four times as
 * much, in this thread and in those that read: 300 MB for 39 MB of files, and with them the buffers that garbage holds.
 */
const heapGrowingPercent = 50;

/**
 * How much bytecode a function runs before V8 optimises it: 30 times its default. Every thread compiles for itself, and a run over twenty PDFs
 * spent a quarter of its processor time on optimising what was nearly done, while two reading threads kept two processors busy.
 * V8s from 12 on (Node 22) count calls instead, do not know this setting, and print an error for it.
 * Eight times the counts that they have instead (`--invocation-count-for-turbofan`, `--invocation-count-for-maglev`) took 14 % off those PDFs on Node 22
 * and about 5 % on Node 24, but made thousands of notes dearer, so they are left alone.
 */
const interruptBudget = 2 ** 21;

/**
 * Sets V8 up for a process whose work is indexing, as `aquifer index` and the ingestion workers are: it takes less memory and less processor
 * time. The settings are those of the whole process, so a program that does other work, too, may be better off without. Call it before
 * anything is opened, because threads keep what was set when they started.
 *
 * @example
 * tuneForIndexing();
 * const knowledgeBase = await openKnowledgeBase({ location: './index' });
 * await knowledgeBase.index('./handbook');
 */
export function tuneForIndexing(): void {
  setFlagsFromString(`--heap-growing-percent=${heapGrowingPercent}`);
  if (Number.parseInt(process.versions.v8, 10) < 12) setFlagsFromString(`--interrupt-budget=${interruptBudget}`);
}
