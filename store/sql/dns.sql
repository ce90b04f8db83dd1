-- Names below the DNS zone: who has them, what they stand for, what the outside server was told.

-- name: dns_name_take
-- Nobody has it, or somebody had it and the outside server still has to be told.
insert into dns_names (name, parent, location, group_key, revision)
values (:name, :parent, :location, :group_key, :revision)
    on conflict (name) do update
   set group_key = excluded.group_key, revision = excluded.revision
 where dns_names.group_key is null;

-- name: dns_name_drop
-- Nobody outside was ever told of it.
delete from dns_names where group_key = :group_key and sent is null;

-- name: dns_name_free
update dns_names set group_key = null, address = null, revision = :revision where group_key = :group_key;

-- name: dns_name_move
-- The group has another address.
update dns_names set address = :address, revision = :revision
 where group_key = :group_key and address is not :address;

-- name: dns_name_of_group
select name from dns_names where group_key = :group_key;

-- name: dns_name_find
select group_key, address from dns_names where name = :name and group_key is not null;

-- name: dns_name_below
-- Whether there are names below that one.
select exists (select 1 from dns_names where parent = :name and group_key is not null)
    or exists (select 1 from dns_names where location = :name and group_key is not null) as found;

-- name: dns_name_unsent
-- scan: of an index that holds the unsent ones alone, and the limit ends it.
select name, address from dns_names where address is not sent order by revision limit :rows;

-- name: dns_name_sending
update dns_names set sent = '?' where name = :name;

-- name: dns_name_sent
update dns_names set sent = :address where name = :name;

-- name: dns_name_forget
-- Nobody has it, and the outside server knows.
delete from dns_names where name = :name and group_key is null and address is null and sent is null;

-- name: dns_name_after
select name from dns_names where name > :after order by name limit :rows;
