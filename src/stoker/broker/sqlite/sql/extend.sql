-- Renew leases. No events.

-- :extend
UPDATE job SET expires_at = :expires
WHERE seq IN (SELECT value FROM json_each(:seqs)) AND state = 'active';
