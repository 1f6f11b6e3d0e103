-- Trim what would grow for ever: events, dedup keys whose time is over. No events.

-- :event_excess
SELECT coalesce((SELECT max(seq) FROM event) - (SELECT min(seq) FROM event) + 1 - :keep, 0);

-- :trim_events
DELETE FROM event WHERE seq IN (SELECT seq FROM event ORDER BY seq LIMIT :excess);

-- :any_dedup
SELECT EXISTS (SELECT 1 FROM dedup WHERE until_at IS NOT NULL AND until_at <= :now);

-- :trim_dedup
DELETE FROM dedup WHERE (queue, key) IN (
  SELECT queue, key FROM dedup WHERE until_at IS NOT NULL AND until_at <= :now LIMIT :limit);
