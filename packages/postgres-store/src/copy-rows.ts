import pg from 'pg';

/** What pg's connections can do with the protocol's messages of COPY (postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY). */
interface CopyConnection {
  sendCopyFromChunk(rows: Buffer): void;
  endCopyFrom(): void;
}

/** Runs `COPY … FROM STDIN` with these bytes. pg itself only knows how to refuse such a statement. */
export function copyRows(client: pg.ClientBase, sql: string, rows: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const statement = new pg.Query({ text: sql });
    Object.assign(statement, {
      callback: (error: Error | null) => (error ? reject(error) : resolve()),
      handleCopyInResponse(connection: CopyConnection) {
        connection.sendCopyFromChunk(rows);
        connection.endCopyFrom();
      },
    });
    client.query(statement as unknown as pg.Submittable);
  });
}
