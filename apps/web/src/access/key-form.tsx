import { useId, useState } from 'react';
import { useMessages } from '../language/language.js';
import { useService } from './service.js';

/** Asks for the key that the service needs. */
export function KeyForm() {
  const messages = useMessages();
  const { useKey: take, hasKey } = useService();
  const [key, setKey] = useState('');
  const field = useId();
  return (
    <form
      className="panel key-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (key.trim() !== '') take(key.trim());
      }}
    >
      <h1>{messages.keyTitle}</h1>
      <p id={`${field}-help`}>{messages.keyHelp}</p>
      {hasKey && <p role="alert">{messages.keyRefused}</p>}
      <label htmlFor={field}>{messages.key}</label>
      <input
        id={field}
        type="password"
        autoComplete="off"
        spellCheck={false}
        aria-describedby={`${field}-help`}
        value={key}
        onChange={(event) => setKey(event.target.value)}
      />
      <button type="submit" className="primary">
        {messages.keyUse}
      </button>
    </form>
  );
}
