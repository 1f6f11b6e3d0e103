-- The whole schema, version 1. STRICT: a hand-written row of a wrong type is refused by SQLite.

CREATE TABLE job (
  seq        INTEGER PRIMARY KEY                 -- its decimal text is the id of a job without its own
             CHECK (seq BETWEEN 1 AND 9007199254740991),
  queue      TEXT    NOT NULL,
  id         TEXT,                               -- the caller's own id, if it gave one
  name       TEXT    NOT NULL,
  data       TEXT    NOT NULL,
  options    TEXT    NOT NULL DEFAULT '{}',
  state      TEXT    NOT NULL DEFAULT 'waiting'
             CHECK (state IN ('waiting', 'delayed', 'active', 'completed', 'failed')),
  priority   INTEGER NOT NULL DEFAULT 0,
  rank       INTEGER NOT NULL DEFAULT 0,         -- place in the line of its priority, lowest first
  created_at INTEGER NOT NULL DEFAULT 0,
  due_at     INTEGER,
  claimed_at INTEGER,
  finished_at INTEGER,
  attempts   INTEGER NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 2147483647),
  starts     INTEGER NOT NULL DEFAULT 0 CHECK (starts BETWEEN 0 AND 2147483647),
  crashes    INTEGER NOT NULL DEFAULT 0 CHECK (crashes BETWEEN 0 AND 2147483647),
  worker     TEXT,
  token      TEXT,
  expires_at INTEGER,                            -- of the lease
  lifo       INTEGER NOT NULL DEFAULT 0,
  progress   TEXT,
  result     TEXT,
  failure    TEXT
) STRICT;

-- One small index per state: a claim reads only jobs it will take, whatever else is stored.
CREATE INDEX job_waiting  ON job (queue, priority, rank) WHERE state = 'waiting';
CREATE INDEX job_delayed  ON job (queue, due_at)         WHERE state = 'delayed';
CREATE INDEX job_active   ON job (queue, expires_at)     WHERE state = 'active';
CREATE INDEX job_finished ON job (queue, state, finished_at) WHERE state IN ('completed', 'failed');
CREATE UNIQUE INDEX job_id ON job (queue, id) WHERE id IS NOT NULL;

CREATE TABLE log (
  seq  INTEGER PRIMARY KEY,
  job  INTEGER NOT NULL,                         -- job.seq
  at   INTEGER NOT NULL,
  line TEXT    NOT NULL
) STRICT;
CREATE INDEX log_job ON log (job);

CREATE TABLE dedup (
  queue    TEXT    NOT NULL,
  key      TEXT    NOT NULL,
  job      INTEGER NOT NULL,                     -- job.seq
  id       TEXT    NOT NULL,                     -- its id, also when the job is gone
  until_at INTEGER,                              -- NULL: until that job is finished
  PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX dedup_until ON dedup (until_at) WHERE until_at IS NOT NULL;
CREATE INDEX dedup_job ON dedup (job);

CREATE TABLE queue (
  name   TEXT    PRIMARY KEY,
  paused INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_paused ON queue (name) WHERE paused;

-- How many jobs each queue has in each state, kept by every transaction that moves one: counting
-- the rows themselves would cost in proportion to the backlog.
CREATE TABLE tally (
  queue TEXT    NOT NULL,
  state TEXT    NOT NULL,
  n     INTEGER NOT NULL,
  PRIMARY KEY (queue, state)
) STRICT, WITHOUT ROWID;

-- A row that somebody wrote by hand (it has no rank) is counted too.
CREATE TRIGGER job_by_hand AFTER INSERT ON job WHEN NEW.rank = 0 BEGIN
  INSERT OR IGNORE INTO queue (name) VALUES (NEW.queue);
  INSERT INTO tally (queue, state, n) VALUES (NEW.queue, NEW.state, 1)
  ON CONFLICT (queue, state) DO UPDATE SET n = n + 1;
END;

-- The age up to which a queue keeps its finished jobs, as the last of them asked: a queue in which
-- nothing finishes any more is cleaned too.
CREATE TABLE retention (
  queue  TEXT    NOT NULL,
  state  TEXT    NOT NULL,
  age_ms INTEGER NOT NULL,
  PRIMARY KEY (queue, state)
) STRICT, WITHOUT ROWID;

-- One row for all that one operation did to a queue, not one per job.
CREATE TABLE event (
  seq    INTEGER PRIMARY KEY,
  queue  TEXT    NOT NULL,
  at     INTEGER NOT NULL,
  kind   TEXT    NOT NULL,
  ids    TEXT    NOT NULL,                       -- JSON array
  fields TEXT    NOT NULL DEFAULT '{}'           -- JSON object
) STRICT;
CREATE INDEX event_queue ON event (queue, seq);

-- The last number given to a job as its seq or its rank, never given twice.
CREATE TABLE counter (value INTEGER NOT NULL) STRICT;
INSERT INTO counter VALUES (0);
