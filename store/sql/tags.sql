-- Tags, to search by and to show in lists without reading documents.

-- name: tag_put
-- Names match without case; the first of two stays.
insert into tags (owner_key, name, value, subscription_key, kind)
values (:key, :name, :value, :subscription_key, :kind)
    on conflict do nothing;

-- name: tag_drop
delete from tags where owner_key = :key;

-- name: tag_list
select name, value from tags where owner_key = :key order by name;
