-- Verify thehangerdb:cursors on pg

DO $$
BEGIN
    ASSERT (
        SELECT count(*) FROM pg_trigger
        WHERE tgname = 'touch_updated_at' AND tgfoid = 'public.touch_updated_at'::regproc
    ) = 16, 'a table has no trigger touch_updated_at';
END
$$;
