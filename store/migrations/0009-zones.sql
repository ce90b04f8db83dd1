-- The part of its location a node stands in, and the one a group must run in; '' is none.
alter table nodes add column zone text not null default '';
alter table container_groups add column zone text not null default '';
