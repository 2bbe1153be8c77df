import pg from 'pg';

/** What pg's connections can do with the protocol's messages of COPY (postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY). */
interface CopyConnection {
  sendCopyFromChunk(rows: Buffer): void;
  endCopyFrom(): void;
}

/**
 * Runs `COPY … FROM STDIN` with these bytes. pg itself only knows how to refuse such a statement. The rows follow it at once: a server that refuses
 * the statement passes over them, and what is asked for next is sent behind them.
 */
export function copyRows(client: pg.ClientBase, sql: string, rows: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const statement = new pg.Query({ text: sql }) as pg.Query & pg.Submittable;
    const submit = statement.submit.bind(statement) as (connection: unknown) => unknown;
    Object.assign(statement, {
      callback: (error: Error | null) => (error ? reject(error) : resolve()),
      submit(connection: CopyConnection) {
        const refused = submit(connection);
        if (refused) return refused;
        connection.sendCopyFromChunk(rows);
        connection.endCopyFrom();
        return null;
      },
      handleCopyInResponse() {},
    });
    client.query(statement as unknown as pg.Submittable);
  });
}
