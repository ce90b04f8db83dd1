-- What the images of groups mean.

-- name: group_image_list
select image, digest from group_images where group_key = :key;

-- name: group_image_put
-- The first word stands.
insert into group_images (group_key, image, digest) values (:key, :image, :digest) on conflict do nothing;

-- name: group_images_purge
delete from group_images where group_key = :key;
