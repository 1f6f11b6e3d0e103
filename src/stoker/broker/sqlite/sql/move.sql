-- What every writing transaction may do besides its own work.

-- :next
-- A row that somebody wrote by hand may have taken a number: it is passed, not met.
UPDATE counter SET value = max(value, coalesce((SELECT max(seq) FROM job), 0)) + ? RETURNING value;

-- :tally
INSERT INTO tally (queue, state, n) VALUES (?, ?, ?)
ON CONFLICT (queue, state) DO UPDATE SET n = n + excluded.n;

-- :queue
INSERT OR IGNORE INTO queue (name) VALUES (?);

-- :event
INSERT INTO event (queue, at, kind, ids, fields) VALUES (?, ?, ?, ?, ?);
