-- Verify thehangerdb:gym on pg

SELECT FROM public.membertypes WHERE false;
SELECT FROM public.memberstatustypes WHERE false;
SELECT FROM public.addressstati WHERE false;
SELECT FROM public.routecolors WHERE false;
SELECT FROM public.climbinggrades WHERE false;
SELECT FROM public.members WHERE false;
SELECT FROM public.memberaddresses WHERE false;
SELECT FROM public.climbingsessions WHERE false;
SELECT FROM public.routes WHERE false;
SELECT FROM public.routeclimbs WHERE false;
