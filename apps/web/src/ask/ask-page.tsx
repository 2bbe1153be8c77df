import { useId, useState } from 'react';
import { useService } from '../access/service.js';
import { useMessages } from '../language/language.js';
import { Link } from '../shell/path.js';
import { AnswerView } from './answer-view.js';
import { useAsking } from './use-asking.js';

export function AskPage() {
  const messages = useMessages();
  const { knowledgeBases } = useService();
  const { asking, ask, stop } = useAsking();
  const [question, setQuestion] = useState('');
  const field = useId();
  const isRunning = asking?.state === 'searching' || asking?.state === 'answering';
  const send = () => {
    if (question.trim() !== '') void ask(question.trim());
  };
  return (
    <>
      <h1 className="hidden">{messages.ask}</h1>
      <form
        className="ask-form"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <label htmlFor={field} className="hidden">
          {messages.question}
        </label>
        <textarea
          id={field}
          rows={2}
          placeholder={messages.questionHint}
          aria-describedby={`${field}-help`}
          value={question}
          onChange={(event) => setQuestion(event.target.value)}
          onKeyDown={(event) => {
            // Enter also ends the conversion of Japanese input.
            if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            send();
          }}
        />
        <div className="ask-buttons">
          <span id={`${field}-help`} className="small">
            {messages.enterSends}
          </span>
          {isRunning && (
            <button type="button" onClick={stop}>
              {messages.stop}
            </button>
          )}
          <button type="submit" className="primary">
            {messages.ask}
          </button>
        </div>
      </form>
      {knowledgeBases.length === 0 && (
        <p className="callout">
          {messages.noDocuments} <Link href="/documents">{messages.addDocuments}</Link>
        </p>
      )}
      {asking && <AnswerView asking={asking} />}
    </>
  );
}
