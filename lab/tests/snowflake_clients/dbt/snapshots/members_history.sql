{% snapshot members_history %}
{{ config(target_schema='HISTORY', unique_key='id', strategy='check', check_cols=['plan'], hard_deletes='invalidate') }}
select id, name, plan from {{ ref('members') }}
{% endsnapshot %}
