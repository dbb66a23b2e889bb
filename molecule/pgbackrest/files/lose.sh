#!/bin/sh
# Tells a moment and the digest of the rows at that moment; afterwards they are changed and dropped.
set -eu
cd /
ask() { runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 gym -c "$1"; }
ask 'DROP TABLE IF EXISTS climb' 2>/dev/null
ask 'CREATE TABLE climb (id int PRIMARY KEY, grade text, climbed_at timestamptz DEFAULT now())'
ask "INSERT INTO climb SELECT n, '6' || chr(97 + n % 3) FROM generate_series(1, 5000) n"
ask "UPDATE climb SET grade = '7a' WHERE id % 10 = 0"
ask 'DELETE FROM climb WHERE id % 7 = 0'
digest=$(ask "SELECT count(*) || ' ' || md5(string_agg(climb::text, E'\n' ORDER BY id)) FROM climb")
sleep 1
moment=$(date '+%Y-%m-%d %H:%M:%S+00' --utc)
sleep 1
echo "$moment"
echo "$digest"
ask "UPDATE climb SET grade = 'lost' WHERE id % 2 = 0"
ask 'DROP TABLE climb'
