-- The ledger tells prices apart, and is read in two ways: by time, and in the order in which intervals ended.

-- gpus: as shapes count them (model/container_group.h). price_class: enum quota_class of the run; null: nobody knows
-- any more. ended: the revision at which the end was learned; null while open.
alter table usage_intervals add column gpus integer not null default 0;
alter table usage_intervals add column price_class integer;
alter table usage_intervals add column ended integer;

-- How long it is, in classes, so that a question about some time need not look at what began long before: 0 is open, 1 up
-- to an hour, each next one four times as long, 7 longer than the rest (sql/ledger.sql knows the bounds too).
alter table usage_intervals add column span integer as (
    case when to_s is null then 0
         when to_s - start_s <= 3600 then 1
         when to_s - start_s <= 14400 then 2
         when to_s - start_s <= 57600 then 3
         when to_s - start_s <= 230400 then 4
         when to_s - start_s <= 921600 then 5
         when to_s - start_s <= 3686400 then 6
         else 7 end) virtual;

-- What was told before was told without GPUs; what the group is now is the best that is known of it.
update usage_intervals as i
   set gpus = coalesce((select a.gpus from assignments a
                         where a.group_key = i.group_key and a.node_key = i.node_key and a.incarnation = i.incarnation),
                       (select g.gpus from container_groups g where g.key = i.group_key), 0),
       price_class = (select g.quota_class from container_groups g where g.key = i.group_key),
       ended = case when to_s is not null then key end;

drop index usage_intervals_of_subscription;
create index usage_intervals_of_subscription on usage_intervals (subscription_key, span, start_s, key, to_s);
create index usage_intervals_ended on usage_intervals (subscription_key, ended) where ended is not null;
-- A resource group's intervals, in the order of its groups.
create index usage_groups_of_resource_group on usage_groups (resource_group_key, group_key);
