-- What every writing transaction may do besides its own work.

-- :next
-- The last of :count numbers, and whether a row that somebody wrote by hand has one of them already.
UPDATE counter SET value = value + :step
RETURNING value, EXISTS (SELECT 1 FROM job WHERE seq > value - :count AND seq <= value);

-- :tally
INSERT INTO tally (queue, state, n) VALUES (?, ?, ?)
ON CONFLICT (queue, state) DO UPDATE SET n = n + excluded.n;

-- :queue
INSERT OR IGNORE INTO queue (name) VALUES (?);

-- :event
INSERT INTO event (queue, at, kind, ids, fields) VALUES (?, ?, ?, ?, ?);
