{{ config(materialized='view') }}
select id as visit_id, member_id, visited_at
from {{ ref('visits') }}
