import type { NamedFile } from '@aquifer/client';
import { useRef, useState } from 'react';
import { useMessages } from '../language/language.js';
import { droppedFiles } from './dropped-files.js';

/** Takes files that are dropped or chosen. */
export function DropZone({ onFiles }: { onFiles(files: readonly NamedFile[]): void }) {
  const messages = useMessages();
  const [isOver, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the button is the first
    <div
      className={isOver ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void droppedFiles(event.dataTransfer).then(onFiles);
      }}
    >
      <span>{messages.drop}</span>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={messages.choose}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])].map((file) => ({ name: file.name, content: file })));
          // The same file may be chosen again.
          event.target.value = '';
        }}
      />
      <button type="button" className="primary" onClick={() => input.current?.click()}>
        {messages.choose}
      </button>
    </div>
  );
}
