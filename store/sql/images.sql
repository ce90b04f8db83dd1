-- Images that nodes hold.

-- name: node_image_list
select image from node_images where node_key = :node_key;

-- name: node_image_put
insert into node_images (node_key, image, digest, open) values (:node_key, :image, :digest, :open)
    on conflict (node_key, image) do update set digest = excluded.digest, open = excluded.open
 where digest <> excluded.digest or open <> excluded.open;

-- name: node_image_drop
delete from node_images where node_key = :node_key and image = :image;

-- name: node_images_forget
delete from node_images where node_key = :key;

-- name: location_image_next
-- The first name after :image that a ready node of the location holds for everyone. The order of the join is meant.
select i.image, n.os from node_images i cross join nodes n on n.key = i.node_key
 where i.open = 1 and i.image > :image and n.location = :location and n.state = 0
 order by i.image limit 1;
