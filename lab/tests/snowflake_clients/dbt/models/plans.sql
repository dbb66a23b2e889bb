{{ config(materialized='table', post_hook="grant select on {{ this }} to role AUDITOR") }}
select coalesce(plan, 'none') as plan, count(*) as members
from {{ ref('members') }}
group by 1
