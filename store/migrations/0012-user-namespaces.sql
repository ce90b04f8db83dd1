-- Whether groups have users of their own on that node (docs/adr/0035).
alter table nodes add column user_namespaces integer not null default 0;
