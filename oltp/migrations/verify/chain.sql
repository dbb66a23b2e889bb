-- Verify thehangerdb:chain on pg

SELECT FROM public.gyms WHERE false;
SELECT FROM public.membershipplans WHERE false;
SELECT FROM public.memberships WHERE false;
SELECT FROM public.payments WHERE false;
SELECT FROM public.routesettings WHERE false;
SELECT FROM public.sessiongyms WHERE false;
