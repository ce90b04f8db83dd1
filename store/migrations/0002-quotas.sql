-- What subscriptions hold in each location, kept by the transaction that moves a group (quotas.c). Quotas and classes
-- by their number in model/quota.h; `used` counts groups, or milli-CPU for quotas of cores. All groups so far are of
-- the first class: ContainerGroups is quota 0, StandardCores 1, and the states that hold cores are Pending (0),
-- Running (1) and Repairing (5).

alter table container_groups add column quota_class integer not null default 0;

create table quota_uses (
    subscription_key integer not null,
    location text not null,
    quota integer not null,
    used integer not null,
    primary key (subscription_key, location, quota)
) without rowid;

insert into quota_uses (subscription_key, location, quota, used)
select subscription_key, location, 0, count(*)
  from container_groups
 where living = 1
 group by subscription_key, location;

insert into quota_uses (subscription_key, location, quota, used)
select subscription_key, location, 1, sum(cpu_milli)
  from container_groups
 where living = 1 and state in (0, 1, 5)
 group by subscription_key, location;
