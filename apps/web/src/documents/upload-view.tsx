import { useMessages } from '../language/language.js';
import { Problem } from '../shell/problem.js';
import type { Upload } from './use-uploads.js';

/** How far an upload is: a bar while it goes on, and every file that was not indexed with the reason. */
export function UploadView({ upload }: { readonly upload: Upload }) {
  const messages = useMessages();
  const { files, job, progress, refused, failed, error } = upload;
  const isDone = job?.finishedAt !== undefined;
  const seconds = progress?.msLeft === undefined ? undefined : Math.ceil(progress.msLeft / 1_000);
  return (
    <section className="panel upload" aria-label={job ? messages.jobStatus[job.status] : messages.sending(files)}>
      <p role="status">
        <strong>{job ? messages.jobStatus[job.status] : messages.sending(files)}</strong>
        {job?.reason && ` ${job.reason}`}
      </p>
      {!isDone && error === undefined && (
        <progress
          aria-label={messages.jobStatus.running}
          max={progress?.total || undefined}
          value={progress?.total ? progress.done : undefined}
        />
      )}
      {progress && (
        <p className="small facts">
          <span>{messages.progress(progress.done, progress.total, progress.chunks)}</span>
          {progress.chunksPerSecond > 0 && <span>{messages.perSecond(Math.round(progress.chunksPerSecond))}</span>}
          {!isDone && seconds !== undefined && <span>{messages.secondsLeft(seconds)}</span>}
        </p>
      )}
      {(failed.length > 0 || refused.length > 0) && (
        <ul className="failures">
          {refused.map(({ name, reason }) => (
            <li key={name}>
              <strong>{name}</strong> {messages.refused}: {reason}
            </li>
          ))}
          {failed.map(({ source, reason }) => (
            <li key={source}>
              <strong>{source}</strong> {reason}
            </li>
          ))}
        </ul>
      )}
      {error !== undefined && <Problem error={error} />}
    </section>
  );
}
