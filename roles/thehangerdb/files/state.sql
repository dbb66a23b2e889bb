SELECT
    shobj_description(d.oid, 'pg_database') AS record,
    to_regrole(quote_ident(%(owner)s)) IS NOT NULL AS owned,
    (
        SELECT coalesce(sum(pg_relation_size(c.oid)), 0) > 0
        FROM pg_class AS c
        WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace('public')
            AND c.relname = ANY (string_to_array(%(tables)s, ','))
    ) AS filled,
    -- The table is looked for when the query runs: it may not be there.
    CASE WHEN to_regclass('sqitch.changes') IS NULL THEN ''
        ELSE array_to_string(xpath('//name/text()', query_to_xml(
            'SELECT change || '':'' || script_hash AS name FROM sqitch.changes WHERE project = ''thehangerdb''',
            false, false, '')), ' ')
    END AS migrations
FROM pg_database AS d
WHERE d.datname = current_database()
