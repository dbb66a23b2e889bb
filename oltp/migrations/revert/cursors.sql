-- Revert thehangerdb:cursors from pg

BEGIN;
SET LOCAL search_path = public;

DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'updated_at'
    LOOP
        EXECUTE format('DROP TRIGGER touch_updated_at ON %I', name);
        EXECUTE format('ALTER TABLE %I DROP COLUMN updated_at', name);
    END LOOP;
END
$$;
DROP FUNCTION touch_updated_at();

COMMIT;
