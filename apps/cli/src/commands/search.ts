import type { SearchResponse } from 'aquifer';
import { type Context, printJson, settingsOf, withKnowledgeBase } from '../context.js';
import { dollars } from '../terminal/money.js';
import { counted, duration } from '../terminal/progress-bar.js';
import { plainLine } from '../terminal/terminal.js';
import { placeLine, quoteLine } from './passage-lines.js';
import { type SearchingOptions, searchOptions } from './search-options.js';

export async function run(context: Context, query: string, options: SearchingOptions): Promise<void> {
  const settings = await settingsOf(context, options);
  const parsed = await searchOptions(options, settings, context.signal);
  const response = await withKnowledgeBase(context, settings, 'read', (knowledgeBase) =>
    knowledgeBase.search(query, { ...parsed, trace: options.explain }),
  );
  if (options.json) printJson(context, response);
  else show(context, response, options.explain === true);
}

function show({ out }: Context, response: SearchResponse, explain: boolean): void {
  const { matches, plan, costUsd, ms } = response;
  if (matches.length === 0) out.line('  nothing found; try other words, or --mode dense');
  for (const match of matches) {
    const rank = String(match.rank).padStart(3);
    const score = match.score.toFixed(3);
    const place = placeLine(out, match, rank.length + score.length + 4);
    out.line(`${out.style('bold', rank)}  ${place}  ${out.style('dim', score)}`);
    if (explain) {
      const scores = Object.entries(match.scores).map(([leg, score]) => `${leg} ${Number(score).toFixed(4)}`);
      out.line(
        `     ${out.style('dim', `${scores.join(' · ')} · document ${match.documentId} · ${match.start}–${match.end}`)}`,
      );
    }
    out.line(quoteLine(out, match.text, 5));
  }
  out.line();
  const legs = `dense ${plan.dense}, keyword ${plan.keyword}`;
  const stages = explain
    ? ` · ${Object.entries(ms)
        .map(([stage, value]) => `${stage} ${Number(value).toFixed(1)} ms`)
        .join(' · ')}`
    : '';
  const cost = costUsd === undefined ? '' : ` · ${dollars(costUsd)}`;
  out.line(
    out.style(
      'dim',
      `  ${counted(matches.length, 'passage')} · ${legs}${cost} · ${duration(ms.total / 1000)}${stages}`,
    ),
  );
  const first = matches[0];
  if (first) out.line(out.style('dim', `  next: npx aquifer ask "${plainLine(response.query).replaceAll('"', '')}"`));
}
