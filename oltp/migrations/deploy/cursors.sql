-- Deploy thehangerdb:cursors to pg
-- requires: gym
-- requires: chain

BEGIN;
SET LOCAL search_path = public;

-- The moment of the change, not of its transaction's begin: a second update in a transaction moves it again.
CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION touch_updated_at() IS 'Moves updated_at of a row that an UPDATE changes.';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'membertypes', 'memberstatustypes', 'addressstati', 'routecolors', 'climbinggrades', 'members',
        'memberaddresses', 'climbingsessions', 'routes', 'routeclimbs', 'gyms', 'membershipplans',
        'memberships', 'payments', 'routesettings', 'sessiongyms'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now()', name);
        EXECUTE format('COMMENT ON COLUMN %I.updated_at IS %L', name, 'When the row was last written.');
        EXECUTE format(
            'CREATE TRIGGER touch_updated_at BEFORE UPDATE ON %I FOR EACH ROW '
            'WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at()', name
        );
        EXECUTE format('CREATE INDEX %I ON %I USING brin (updated_at)', name || '_updated_at_idx', name);
    END LOOP;
END
$$;

COMMIT;
