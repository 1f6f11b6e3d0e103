-- Settle the outcomes of runs. Events: completed, failed, retried, snoozed, released.

-- :held
-- Which of [[place, seq, token, queue], …] still hold their lease, as one JSON array of places.
SELECT json_group_array(given.value ->> 0)
FROM json_each(:rows) AS given JOIN job ON job.seq = given.value ->> 1
WHERE job.state = 'active' AND job.token = given.value ->> 2
  AND job.queue = given.value ->> 3;

-- :done
-- [[seq, result], …], all of them held.
UPDATE job SET state = 'completed', finished_at = :now, attempts = min(attempts + 1, 2147483647),
               result = given.value ->> 1, failure = NULL, token = NULL, expires_at = NULL
FROM json_each(:rows) AS given WHERE job.seq = given.value ->> 0;

-- :failed
UPDATE job SET state = 'failed', finished_at = :now, failure = :failure,
               attempts = min(attempts + :attempt, 2147483647),
               crashes = min(crashes + :crash, 2147483647),
               token = NULL, expires_at = NULL
WHERE seq = :seq;

-- :again
-- Retried, snoozed and released: back to waiting or delayed.
UPDATE job SET state = :state, due_at = :due,
               rank = CASE WHEN :front OR lifo THEN -:rank ELSE :rank END,
               failure = coalesce(:failure, failure),
               attempts = min(attempts + :attempt, 2147483647),
               crashes = min(crashes + :crash, 2147483647),
               token = NULL, expires_at = NULL
WHERE seq = :seq;
