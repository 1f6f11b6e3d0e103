-- Add jobs. Events: added.

-- :insert
INSERT INTO job (seq, queue, id, name, data, options, state, priority, rank, created_at, due_at, lifo)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- :insert_alike
-- Jobs that differ only in seq and data, as {"seq": "data", …}: one step, however many jobs.
INSERT INTO job (seq, queue, name, data, options, state, priority, rank, created_at, due_at, lifo)
SELECT key, :queue, :name, value, :options, :state, :priority,
       CASE WHEN :lifo THEN -CAST(key AS INTEGER) ELSE CAST(key AS INTEGER) END, :now, :due, :lifo
FROM json_each(:jobs);

-- :by_id
-- The job that has this id of the caller's own.
SELECT seq FROM job WHERE queue = ? AND id = ?;

-- :dedup
-- The job that counts under a dedup key: its time is not over, or it has none and is unfinished.
SELECT dedup.id
FROM dedup LEFT JOIN job ON job.seq = dedup.job
WHERE dedup.queue = :queue AND dedup.key = :key
  AND CASE WHEN until_at IS NULL THEN job.state IN ('waiting', 'delayed', 'active')
           ELSE until_at > :now END;

-- :hold_dedup
INSERT OR REPLACE INTO dedup (queue, key, job, id, until_at) VALUES (?, ?, ?, ?, ?);
