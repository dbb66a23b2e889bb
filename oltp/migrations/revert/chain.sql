-- Revert thehangerdb:chain from pg

BEGIN;
SET LOCAL search_path = public;

DROP TABLE
    sessiongyms,
    routesettings,
    payments,
    memberships,
    membershipplans,
    gyms;

COMMIT;
