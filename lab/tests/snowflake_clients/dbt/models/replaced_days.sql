{{ config(materialized='incremental', unique_key='day', incremental_strategy='delete+insert') }}
select to_date(visited_at) as day, count(*) as visits
from {{ ref('staged_visits') }}
where visited_at is not null
group by 1
