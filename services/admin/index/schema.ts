/**
 * The tables of the index. It is made of the events alone, so another version is never migrated: it is thrown away, and made
 * again from the logs (database.ts).
 *
 * A message's number is its time: milliseconds since 1970 of its first known event, times 1024, and a count. So the order of
 * the numbers is the order of the times, in the table and in `lookups`, and no index for it is needed. The number
 * of an event is the order in which it came here: webhooks follow it. Events are unique by message and id.
 */

/** Of a change of anything below. */
export const SCHEMA_VERSION = 1

export const SCHEMA = `
  CREATE TABLE cursor (
    partition INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL
  );
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    queue_id TEXT NOT NULL UNIQUE,
    last_at INTEGER NOT NULL
  );
  CREATE TABLE lookups (
    key TEXT NOT NULL,
    message INTEGER NOT NULL,
    PRIMARY KEY (key, message)
  ) WITHOUT ROWID;
  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    message INTEGER NOT NULL,
    event TEXT NOT NULL,
    type TEXT NOT NULL,
    partition INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (message, event)
  );
  CREATE TABLE totals (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    messages INTEGER NOT NULL,
    last_event INTEGER NOT NULL
  );
  INSERT INTO totals VALUES (1, 0, 0);
  PRAGMA user_version = ${SCHEMA_VERSION};
`

const PER_MS = 1024
/** 2000 to 2200: a clock that is out of its mind must not make a number that no integer holds. */
const [EARLIEST, LATEST] = [946_684_800_000, 7_258_118_400_000]

/** ms since 1970, as near as a number can have it. */
export function timeInRange(at: number): number {
  return Math.min(Math.max(at, EARLIEST), LATEST)
}

/** The first number of a message of that time, which is in range. */
export function firstNumberAt(at: number): number {
  return at * PER_MS
}
