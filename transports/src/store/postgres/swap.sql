-- Puts one state of a session in the place of another, or answers with what is there. All
-- parameters and the answer are text: 1 the key, 2 the holder that asks, 3 to 5 the stamp that must
-- be there, 6 to 8 the stamp of the state that is put, 9 its lease, 10 whether the lease rests,
-- 11 when the swap was made and 12 until when it may be done (both may be empty), 13 how long the
-- row is kept, 14 the state in hexadecimal digits.
WITH asked AS MATERIALIZED (
    SELECT $1::text AS key, $2::text::numeric AS asker,
        $3::text::numeric AS expects_g, $4::text::numeric AS expects_h,
        $5::text::numeric AS expects_s, $6::text::numeric AS puts_g,
        $7::text::numeric AS puts_h, $8::text::numeric AS puts_s,
        $9::text::bigint AS lease, $10::text = '1' AS rests,
        nullif($11::text, '')::bigint AS asked_at, nullif($12::text, '')::bigint AS asked_until,
        $13::text::bigint AS keep, decode($14::text, 'hex') AS body
), old AS MATERIALIZED (
    -- A second swap waits here for the first one, and sees what it has put.
    SELECT * FROM imts_session WHERE key = $1::text FOR UPDATE
), here AS MATERIALIZED (
    -- The clock is read once the row is locked: a swap may be late because it waited.
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now,
        {incarnation} AS life, locked.count > 0 AS is_there,
        -- What is answered as done must be durable. The setting ends with the transaction.
        CASE current_setting('synchronous_commit') WHEN 'off'
            THEN set_config('synchronous_commit', 'on', true) END AS durable
    FROM (SELECT count(*) FROM old) AS locked
), seen AS MATERIALIZED (
    SELECT asked.asker, asked.lease, asked.rests, asked.asked_at, asked.keep, asked.body,
        asked.puts_g, asked.puts_h, asked.puts_s, here.now, here.life, here.is_there,
        old.generation, old.holder, old.serial, old.made_at, old.moved, old.resting, old.state,
        coalesce((old.generation, old.holder, old.serial)
            = (asked.puts_g, asked.puts_h, asked.puts_s), false) AS is_done,
        (coalesce(old.generation, 0), coalesce(old.holder, 0), coalesce(old.serial, 0))
            = (asked.expects_g, asked.expects_h, asked.expects_s)
            AND coalesce(here.now <= asked.asked_until, true) AS is_asked_for,
        -- What is left is never more than the lease, even if the clock was set back.
        CASE WHEN old.lease_holder <> asked.asker
            THEN greatest(least(old.lease_until - here.now, old.lease_length), 0)
            ELSE 0 END AS remains,
        coalesce(old.incarnation <> here.life, false) AS moves
    FROM asked CROSS JOIN here LEFT JOIN old ON true
), put AS (
    UPDATE imts_session AS session SET
        generation = seen.puts_g, holder = seen.puts_h, serial = seen.puts_s,
        made_at = least(seen.asked_at, seen.now), moved = seen.moves,
        lease_holder = CASE WHEN seen.lease > 0 THEN seen.asker END,
        lease_until = seen.now + seen.lease, lease_length = seen.lease, resting = seen.rests,
        incarnation = seen.life, keep_until = seen.now + seen.keep, state = seen.body
    FROM seen
    WHERE session.key = $1::text AND seen.is_there AND NOT seen.is_done AND seen.is_asked_for
        AND seen.remains = 0
    RETURNING true
), made AS (
    INSERT INTO imts_session (key, generation, holder, serial, made_at, moved, lease_holder,
        lease_until, lease_length, resting, incarnation, keep_until, state)
    SELECT $1::text, puts_g, puts_h, puts_s, least(asked_at, now), false,
        CASE WHEN lease > 0 THEN asker END, now + lease, lease, rests, life, now + keep, body
    FROM seen WHERE NOT is_there AND is_asked_for
    ON CONFLICT (key) DO NOTHING
    RETURNING true
)
SELECT CASE
    WHEN is_done THEN concat_ws(' ', 'done', moved::int, now)
    WHEN EXISTS (SELECT FROM put) OR EXISTS (SELECT FROM made)
        THEN concat_ws(' ', 'done', moves::int, now)
    -- Another swap has made the row meanwhile.
    WHEN is_asked_for AND remains = 0 THEN 'again'
    ELSE concat_ws(' ', 'other', coalesce(generation, 0), coalesce(holder, 0),
        coalesce(serial, 0), greatest(now - coalesce(made_at, now), 0),
        coalesce(moved::int, 0), remains, coalesce(resting::int, 0), now, encode(state, 'hex'))
    END
FROM seen
