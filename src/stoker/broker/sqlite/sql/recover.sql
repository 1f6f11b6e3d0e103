-- Take back jobs whose lease has run out. Events: recovered, failed.

-- :expired
SELECT seq, CAST(coalesce(id, seq) AS BLOB), crashes, CAST(worker AS BLOB) FROM job
WHERE queue = :queue AND state = 'active' AND expires_at <= :by
ORDER BY expires_at LIMIT :limit;

-- :any_expired
SELECT EXISTS (SELECT 1 FROM job WHERE queue = :queue AND state = 'active' AND expires_at <= :now);
