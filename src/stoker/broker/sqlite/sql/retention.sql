-- Delete finished jobs that are too many or too old. No events: their end was one.
-- The IN lets SQLite see that the partial index holds every row that is asked for.

-- :count
SELECT n FROM tally WHERE queue = ? AND state = ?;

-- :over_count
SELECT seq FROM job WHERE queue = :queue AND state = :state AND state IN ('completed', 'failed')
ORDER BY finished_at, seq LIMIT :excess;

-- :over_age
SELECT seq FROM job WHERE queue = :queue AND state = :state AND state IN ('completed', 'failed')
  AND finished_at <= :before
ORDER BY finished_at, seq LIMIT :limit;

-- :remember
INSERT INTO retention (queue, state, age_ms) VALUES (:queue, :state, :age_ms)
ON CONFLICT (queue, state) DO UPDATE SET age_ms = excluded.age_ms WHERE age_ms <> excluded.age_ms;

-- :forget
DELETE FROM retention WHERE queue = :queue AND state = :state;

-- :ages
SELECT queue, state, age_ms FROM retention;
