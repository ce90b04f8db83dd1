-- What nodes have beside CPU and memory, and what groups need of it.

-- classes: of runtimes, each between blanks. gpus: how many of each sku (model/container_group.h).
alter table nodes add column classes text not null default ' ';
alter table nodes add column gpus integer not null default 0;

-- runtime_class: of its run; '' is the node's usual one.
alter table container_groups add column runtime_class text not null default '';
alter table container_groups add column gpus integer not null default 0;

alter table assignments add column gpus integer not null default 0;
