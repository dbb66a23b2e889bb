{{ config(materialized='incremental', unique_key='member_id', incremental_strategy='merge', on_schema_change='append_new_columns') }}
select
    members.id as member_id,
    members.name,
    count(visits.visited_at) as visits,
    max(visits.visited_at) as last_visit
from {{ ref('members') }} as members
left join {{ ref('staged_visits') }} as visits on visits.member_id = members.id
{% if is_incremental() %}
where members.id >= (select max(member_id) from {{ this }})
{% endif %}
group by 1, 2
