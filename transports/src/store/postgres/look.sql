-- Answers with what is there, and changes nothing. Parameters: 1 the key, 2 the holder that asks.
WITH here AS MATERIALIZED (
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now,
        pg_is_in_recovery() AS is_standby
)
SELECT CASE
    WHEN here.is_standby THEN 'standby'
    ELSE concat_ws(' ', 'other', coalesce(old.generation, 0), coalesce(old.holder, 0),
        coalesce(old.serial, 0), greatest(here.now - coalesce(old.made_at, here.now), 0),
        coalesce(old.moved::int, 0),
        CASE WHEN old.lease_holder <> $2::text::numeric
            THEN greatest(least(old.lease_until - here.now, old.lease_length), 0)
            ELSE 0 END,
        coalesce(old.resting::int, 0), here.now, encode(old.state, 'hex'))
    END
FROM here LEFT JOIN imts_session AS old ON old.key = $1::text
