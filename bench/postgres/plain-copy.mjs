// What the peer of the store's figure is: the rows that the store wrote, copied out in binary, and then copied into empty tables of the same definition, indexes
// included, without row-level security, one COPY a table, in one transaction.
import pg from 'pg';

const tables = ['documents', 'contents', 'embeddings', 'chunks', 'postings'];

/** Collects the rows of a binary COPY TO. */
function copyOut(client, table) {
  return new Promise((resolve, reject) => {
    const pieces = [];
    const statement = new pg.Query({ text: `COPY aquifer.${table} TO STDOUT (FORMAT binary)` });
    Object.assign(statement, {
      callback: (error) => (error ? reject(error) : resolve(pieces)),
      handleCopyData: ({ chunk }) => pieces.push(Buffer.from(chunk)),
    });
    client.query(statement);
  });
}

function copyIn(client, table, pieces) {
  return new Promise((resolve, reject) => {
    const statement = new pg.Query({ text: `COPY plain.${table} FROM STDIN (FORMAT binary)` });
    Object.assign(statement, {
      callback: (error) => (error ? reject(error) : resolve()),
      async handleCopyInResponse(connection) {
        for (const piece of pieces) {
          connection.sendCopyFromChunk(piece);
          if (connection.stream.writableLength > 4_194_304)
            await new Promise((drained) => connection.stream.once('drain', drained));
        }
        connection.endCopyFrom();
      },
    });
    client.query(statement);
  });
}

export async function copyPlainly(client) {
  await client.query('DROP SCHEMA IF EXISTS plain CASCADE; CREATE SCHEMA plain');
  let bytes = 0;
  let rows = 0;
  let milliseconds = 0;
  await client.query('BEGIN');
  for (const table of tables) {
    await client.query(`CREATE TABLE plain.${table} (LIKE aquifer.${table} INCLUDING ALL)`);
    const { rows: counted } = await client.query(`SELECT count(*)::int AS rows FROM aquifer.${table}`);
    rows += counted[0].rows;
    const copied = await copyOut(client, table);
    const pieces = [];
    // The protocol sends a message a row; a client that writes a file sends larger ones.
    for (let from = 0; from < copied.length; from += 1_000)
      pieces.push(Buffer.concat(copied.slice(from, from + 1_000)));
    bytes += pieces.reduce((sum, piece) => sum + piece.length, 0);
    const started = performance.now();
    await copyIn(client, table, pieces);
    milliseconds += performance.now() - started;
  }
  const started = performance.now();
  await client.query('COMMIT');
  milliseconds += performance.now() - started;
  await client.query('DROP SCHEMA plain CASCADE');
  return { seconds: milliseconds / 1_000, rows, bytes };
}
