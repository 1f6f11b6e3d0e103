-- Claim jobs: due delayed jobs become waiting, then the first in line become active.
-- Events: promoted, claimed.

-- :paused
SELECT name FROM queue WHERE paused;

-- :claimable
-- Is there anything to claim or to promote? Asked before a write transaction is begun.
SELECT EXISTS (SELECT 1 FROM job WHERE queue = :queue AND state = 'waiting')
    OR EXISTS (SELECT 1 FROM job WHERE queue = :queue AND state = 'delayed' AND due_at <= :now);

-- :next_due
SELECT min(due_at) FROM job WHERE queue = ? AND state = 'delayed';

-- :due
SELECT seq, CAST(coalesce(id, seq) AS BLOB), lifo FROM job
WHERE queue = :queue AND state = 'delayed' AND due_at <= :now
ORDER BY due_at, seq LIMIT :limit;

-- :promote
UPDATE job SET state = 'waiting', rank = ? WHERE seq = ?;

-- :first
-- The first jobs in line as one JSON text: one step of the statement, however many jobs. Its columns
-- are the fields of JobRecord in their order, as they will be once :take has run. Beside it their
-- seqs, for :take, and how many have an id of their own.
SELECT CAST(json_group_array(json_array(
         queue, coalesce(id, CAST(seq AS TEXT)), name, data, options, 'active', priority, created_at,
         due_at, :now, NULL, attempts, starts + 1, crashes, :worker, :token, progress, NULL, failure
       )) AS BLOB), json_group_array(seq), count(id)
FROM (SELECT * FROM job WHERE queue = :queue AND state = 'waiting'
      ORDER BY priority, rank LIMIT :count);

-- :take
UPDATE job SET state = 'active', claimed_at = :now, worker = :worker, token = :token,
               expires_at = :expires, starts = min(starts + 1, 2147483647)
WHERE seq IN (SELECT value FROM json_each(:seqs));
