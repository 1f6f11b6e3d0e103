-- Take back jobs whose lease has run out, and keep house. Events: recovered, failed.

-- :expired
SELECT seq, coalesce(id, CAST(seq AS TEXT)), crashes, worker FROM job
WHERE queue = :queue AND state = 'active' AND expires_at <= :now
ORDER BY expires_at LIMIT :limit;

-- :any_expired
SELECT EXISTS (SELECT 1 FROM job WHERE queue = :queue AND state = 'active' AND expires_at <= :now);

-- :trim_events
DELETE FROM event WHERE seq <= (SELECT max(seq) FROM event) - :keep
  AND seq IN (SELECT seq FROM event ORDER BY seq LIMIT :limit);

-- :trim_dedup
DELETE FROM dedup WHERE (queue, key) IN (
  SELECT queue, key FROM dedup WHERE until_at IS NOT NULL AND until_at <= :now LIMIT :limit);
