-- What every writing transaction may do besides its own work.

-- :next
UPDATE counter SET value = value + ? RETURNING value;

-- :tally
INSERT INTO tally (queue, state, n) VALUES (?, ?, ?)
ON CONFLICT (queue, state) DO UPDATE SET n = n + excluded.n;

-- :queue
INSERT OR IGNORE INTO queue (name) VALUES (?);

-- :event
INSERT INTO event (queue, at, kind, ids, fields) VALUES (?, ?, ?, ?, ?);
