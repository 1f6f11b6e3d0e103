-- What an operator's hand works on: find, requeue, remove, cancel, update, detail.

-- :records
-- Each row's number, and JobRecord's fields in their order as one JSON text: as bytes, since in a row
-- that was written by hand they need not be UTF-8.
SELECT seq, CAST(json_array(
         queue, coalesce(id, CAST(seq AS TEXT)), name, data, options, state, priority, created_at,
         due_at, claimed_at, finished_at, attempts, starts, crashes, worker, token, progress, result,
         failure) AS BLOB)
FROM job WHERE seq IN (SELECT value FROM json_each(?));

-- :requeue
UPDATE job SET state = 'waiting', rank = CASE WHEN lifo THEN -:rank ELSE :rank END, due_at = NULL,
               attempts = CASE state WHEN 'delayed' THEN attempts ELSE 0 END,
               starts   = CASE state WHEN 'delayed' THEN starts ELSE 0 END,
               crashes  = CASE state WHEN 'delayed' THEN crashes ELSE 0 END,
               failure  = CASE state WHEN 'delayed' THEN failure END,
               progress = CASE state WHEN 'delayed' THEN progress END,
               result = NULL, finished_at = NULL
WHERE seq = :seq;

-- :cancel
UPDATE job SET state = 'failed', failure = :failure, finished_at = :now,
               token = NULL, expires_at = NULL
WHERE seq = :seq;

-- :delete_jobs
DELETE FROM job WHERE seq IN (SELECT value FROM json_each(?));

-- :free_dedup
-- A job that was removed by hand holds no key, not even for its time.
DELETE FROM dedup WHERE job IN (SELECT value FROM json_each(?));

-- :drop_dedup
-- A job that is deleted holds no key any more but one that is held for a time.
DELETE FROM dedup WHERE job IN (SELECT value FROM json_each(?)) AND until_at IS NULL;

-- :delete_logs
DELETE FROM log WHERE job IN (SELECT value FROM json_each(?));

-- :move
-- Change the place of a job in line: its priority, its delay.
UPDATE job SET state = :state, priority = :priority, due_at = :due,
               rank = CASE WHEN lifo THEN -:rank ELSE :rank END
WHERE seq = :seq;

-- :set
UPDATE job SET data = coalesce(:data, data), progress = coalesce(:progress, progress)
WHERE seq = :seq;

-- :log
INSERT INTO log (job, at, line) VALUES (?, ?, ?);

-- :logs
SELECT at, line FROM log WHERE job = ? ORDER BY seq;

-- :tallies
SELECT queue, state, n FROM tally WHERE n > 0;

-- :queues
SELECT name, paused FROM queue;

-- :pause
INSERT INTO queue (name, paused) VALUES (:name, :paused)
ON CONFLICT (name) DO UPDATE SET paused = :paused WHERE paused <> :paused;

-- :events
SELECT seq, kind, at, ids, fields FROM event WHERE queue = ? AND seq > ? ORDER BY seq LIMIT ?;

-- :event_range
-- Two subqueries: asked for together, SQLite would read the whole index.
SELECT coalesce((SELECT min(seq) FROM event), 0), coalesce((SELECT max(seq) FROM event), 0);
