-- The address of its location's pool that a group has for life, as a number; and the ports that it takes of its node's
-- own address where there is no pool ("tcp/80 udp/53").
alter table container_groups add column public_address integer;
alter table container_groups add column node_ports text;
-- Nobody else has it, not even while its last node forgets the group.
create unique index container_groups_public on container_groups (public_address) where public_address is not null;
