-- Revert thehangerdb:gym from pg

BEGIN;
SET LOCAL search_path = public;

DROP TABLE
    routeclimbs,
    routes,
    climbingsessions,
    memberaddresses,
    members,
    climbinggrades,
    routecolors,
    addressstati,
    memberstatustypes,
    membertypes;

COMMIT;
